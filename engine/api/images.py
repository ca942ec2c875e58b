"""Upload and list photographs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from engine.api.asking import ProjectFilter, asked, refused
from engine.models import Role, SourceImage
from engine.refusals import Refusal
from engine.selectors.access import project_for
from engine.selectors.images import images_of
from engine.services.images import import_image

FORM_ALLOWANCE = 64 * 1024
"""Bytes of a multipart body besides the file: boundaries, field names, the project."""


class ImageSerializer(serializers.ModelSerializer[SourceImage]):
    class Meta:
        model = SourceImage
        fields = (
            "id",
            "project",
            "sha256",
            "width",
            "height",
            "original_name",
            "original_format",
            "duplicate_of",
            "picture",
            "thumbnail",
            "credit",
            "licence",
            "created_at",
        )


class Upload(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True, max_length=255)
    project = serializers.CharField(max_length=140, help_text="Id, slug or name.")
    credit = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    licence = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)


class ImageStored(serializers.ModelSerializer[SourceImage]):
    class Meta:
        model = SourceImage
        fields = ("id", "sha256", "width", "height")


class Images(generics.ListAPIView[SourceImage]):
    """Photographs, newest first, with signed addresses of picture and thumbnail that expire."""

    serializer_class = ImageSerializer
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> Any:
        return images_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": Upload},
        responses={
            201: ImageStored,
            200: ImageStored,
            **refused(
                400,
                why="`not_an_image`, `truncated`, `too_large`, `too_many_pixels`, `animated`, `unsupported_mode`, ...",
            ),
            **refused(401, 403, 404),
        },
    )
    def post(self, request: Request) -> Response:
        """Store one photograph; the same bytes again answer 200 with the image that is there."""
        most = settings.MAX_UPLOAD_MB * 1024 * 1024
        # Before the body is read: the size a client announces is enough to refuse it.
        if int(request.META.get("CONTENT_LENGTH") or 0) > most + FORM_ALLOWANCE:
            raise _too_large()
        body = Upload(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        project = project_for(request.user, given["project"], Role.CURATOR)
        file = given["file"]
        if file.size > most:
            raise _too_large()
        imported = import_image(
            project=project,
            data=file.read(),
            name=file.name,
            user=request.user,
            credit=given["credit"],
            licence=given["licence"],
        )
        code = status.HTTP_201_CREATED if imported.is_new else status.HTTP_200_OK
        return Response(ImageStored(imported.image).data, code)


def _too_large() -> Refusal:
    return Refusal("too_large", f"A file may have at most {settings.MAX_UPLOAD_MB} MB.")
