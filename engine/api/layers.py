"""Layers with their files and prompts.

Somebody who judges must not learn from here what others decided, which layers are known answers, or whose work it is:
those facts are told to reviewers and above only. Who made a layer is told to curators and admins, because reviewers
vote too.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import LayerFilter, asked, refused
from engine.models import Layer, Prompt
from engine.selectors.layers import layer_for, layers_of, makers_shown, openly_shown

TELLING = ("status", "drop_reason", "scores", "replaces", "created_at")
"""What would tell a layer that is judged from one that is settled, or one producer from another."""
MAKER = "producer"


class PromptSerializer(serializers.ModelSerializer[Prompt]):
    """Coordinates are pixels of the source image; masks are COCO's uncompressed run lengths."""

    class Meta:
        model = Prompt
        fields = ("kind", "points", "box", "mask", "text", "is_ambiguous")


class LayerSerializer(serializers.ModelSerializer[Layer]):
    """``TELLING`` fields are there for reviewers of the layer's project only, ``MAKER`` for its curators. Wants the
    request as context."""

    producer = serializers.CharField(source="producer.name", required=False, help_text="For curators.")

    class Meta:
        model = Layer
        fields: tuple[str, ...] = (
            "id",
            "project",
            "image",
            "producer",
            "depth",
            "kind",
            "label",
            "status",
            "drop_reason",
            "sha256",
            "rgba",
            "visible_mask",
            "thumbnail",
            "box",
            "area_share",
            "hidden_share",
            "soft_share",
            "scores",
            "replaces",
            "created_at",
        )
        extra_kwargs = {
            name: {"required": False, "read_only": False, "help_text": "For reviewers."} for name in TELLING
        }

    def to_representation(self, layer: Layer) -> dict[str, Any]:
        shown = super().to_representation(layer)
        if layer.project_id not in self._openly_shown:
            for name in TELLING:
                del shown[name]
        if layer.project_id not in self._makers_shown:
            del shown[MAKER]
        return shown

    @cached_property
    def _openly_shown(self) -> set[uuid.UUID]:
        return openly_shown(self.context["request"].user)

    @cached_property
    def _makers_shown(self) -> set[uuid.UUID]:
        return makers_shown(self.context["request"].user)


class LayerDetail(LayerSerializer):
    prompts = PromptSerializer(many=True)

    class Meta(LayerSerializer.Meta):
        fields = (*LayerSerializer.Meta.fields, "prompts")


class Layers(generics.ListAPIView[Layer]):
    """Layers, newest first, with signed addresses of their files that expire.

    Reviewers see all of them; others those that stand in a stack, without what would tell how they were judged.
    `status` asks for the role reviewer. Curators see who made them.
    """

    serializer_class = LayerSerializer

    def get_queryset(self) -> Any:
        query = asked(self.request, LayerFilter)
        return layers_of(
            self.request.user,
            query.project_of(self.request.user),
            query.validated_data.get("status", ""),
            query.validated_data.get("kind", ""),
        )

    @extend_schema(parameters=[LayerFilter])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class LayerById(APIView):
    """One layer with its prompts and the post-filter's scores."""

    @extend_schema(responses={200: LayerDetail, **refused(401, 404)})
    def get(self, request: Request, layer_id: uuid.UUID) -> Response:
        return Response(LayerDetail(layer_for(request.user, layer_id), context={"request": request}).data)
