"""Exports over HTTP: start, watch, cancel, download with ranges."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Max
from django.http.response import HttpResponseBase
from django.utils.text import slugify
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import ProjectFilter, asked, refused
from engine.models import Role
from engine.refusals import Refusal
from training.api.ranges import Segment, answer
from training.exports.tar import END
from training.models import Export, ExportFile, ExportFormat, JobStatus
from training.selectors.snapshots import export_for, exports_of, snapshot_for
from training.services.exports import PART_ROWS, start_export
from training.services.leases import cancel

FILES_LISTED = 1000


class NewExport(serializers.Serializer[Any]):
    snapshot = serializers.UUIDField()
    format = serializers.ChoiceField(ExportFormat.choices)
    part_rows = serializers.IntegerField(
        min_value=1, max_value=100_000, default=PART_ROWS, help_text="Layers of a part or shard."
    )


class FileAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.URLField()


class ExportSerializer(serializers.ModelSerializer[Export]):
    rows = serializers.IntegerField(source="snapshot.rows", read_only=True)
    is_live = serializers.BooleanField(read_only=True)

    class Meta:
        model = Export
        fields = (
            "id",
            "snapshot",
            "format",
            "status",
            "is_live",
            "reason",
            "rows",
            "rows_done",
            "parts",
            "parts_done",
            "size",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields
        extra_kwargs = {"format": {"read_only": True}}


class ExportAnswer(ExportSerializer):
    download_url = serializers.SerializerMethodField(help_text="All files as one tar, once it is finished.")
    files = serializers.SerializerMethodField(help_text=f"The first {FILES_LISTED} of them, once it is finished.")

    class Meta(ExportSerializer.Meta):
        fields = (*ExportSerializer.Meta.fields, "download_url", "files")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    def get_download_url(self, export: Export) -> str | None:
        return self._url(export, "download/") if export.status == JobStatus.FINISHED else None

    def get_files(self, export: Export) -> list[dict[str, Any]]:
        if export.status != JobStatus.FINISHED:
            return []
        files = export.files.all()[:FILES_LISTED]
        return [
            {
                "name": file.name,
                "size": file.size,
                "sha256": file.sha256,
                "url": self._url(export, f"files/{file.name}"),
            }
            for file in files
        ]

    def _url(self, export: Export, rest: str) -> str:
        url: str = self.context["request"].build_absolute_uri(f"/api/exports/{export.pk}/{rest}")
        return url


class Exports(generics.ListAPIView[Export]):
    """Exports, newest first."""

    serializer_class = ExportSerializer

    def get_queryset(self) -> Any:
        return exports_of(self.request.user, asked(self.request, ProjectFilter).project_of(self.request.user))

    @extend_schema(parameters=[ProjectFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewExport,
        responses={201: ExportAnswer, **refused(400, 401, 403, 404), **refused(409, why="`not_frozen`")},
    )
    def post(self, request: Request) -> Response:
        """Queue an export of a snapshot; a worker writes it."""
        body = NewExport(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        export = start_export(
            snapshot=snapshot_for(request.user, given["snapshot"], Role.CURATOR),
            format=given["format"],
            user=request.user,
            part_rows=given["part_rows"],
        )
        return Response(ExportAnswer(export, context={"request": request}).data, status.HTTP_201_CREATED)


class ExportById(APIView):
    @extend_schema(responses={200: ExportAnswer, **refused(401, 403, 404)})
    def get(self, request: Request, export_id: uuid.UUID) -> Response:
        """How far it is; once finished, where its files are."""
        return Response(ExportAnswer(export_for(request.user, export_id), context={"request": request}).data)


class CancelExport(APIView):
    @extend_schema(
        request=None, responses={200: ExportAnswer, **refused(401, 403, 404), **refused(409, why="`not_live`")}
    )
    def post(self, request: Request, export_id: uuid.UUID) -> Response:
        export = export_for(request.user, export_id)
        if not cancel(export):
            raise Refusal("not_live", "This export is over already.", 409)
        export.refresh_from_db()
        return Response(ExportAnswer(export, context={"request": request}).data)


class ExportDownload(APIView):
    """The whole export as one tar, with ranges: a download that broke off goes on where it was."""

    @extend_schema(responses={(200, "application/x-tar"): OpenApiTypes.BINARY, **refused(401, 403, 404, 409)})
    def get(self, request: Request, export_id: uuid.UUID) -> HttpResponseBase:
        export = _finished(request, export_id)
        pieces = export.files.values("part", "piece").annotate(last=Max("offset")).order_by("part")
        segments = [Segment(default_storage.size(row["piece"]), row["piece"]) for row in pieces]
        name = f"{slugify(export.snapshot.name) or 'snapshot'}-{export.format}.tar"
        segments.append(Segment(len(END), data=END))
        return answer(
            request._request, segments, etag=f'"{export.pk}"', content_type="application/x-tar", filename=name
        )


class ExportOneFile(APIView):
    """One file of an export, with ranges."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **refused(401, 403, 404, 409)})
    def get(self, request: Request, export_id: uuid.UUID, name: str) -> HttpResponseBase:
        export = _finished(request, export_id)
        file: ExportFile | None = export.files.filter(name=name).order_by("-part").first()
        if file is None:
            raise Refusal("not_found", "This export has no such file.", 404)
        return answer(
            request._request,
            [Segment(file.size, file.piece, file.offset)],
            etag=f'"{file.sha256}"',
            content_type="application/octet-stream",
            filename=name.rpartition("/")[2],
        )


def _finished(request: Request, export_id: uuid.UUID) -> Export:
    export = export_for(request.user, export_id)
    if export.status != JobStatus.FINISHED:
        raise Refusal("not_finished", f"This export is {export.status}.", 409)
    return export
