"""Mending a layer by hand."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import refused
from engine.api.layers import LayerSerializer
from engine.imaging import encode_png, mask_to_rle
from engine.models import Repair
from engine.repair.marks import Hidden, Tool
from engine.selectors.repairs import layer_to_mend, newest_version, repair_for
from engine.services import repairs

WHY_400 = "`stroke_outside`, `box_outside`, `bad_mask`, `empty_mask`, `too_many_strokes`, `bad_marks`, ..."
WHY_409 = "`layer_superseded`, `layer_accepted`, `layer_dropped`, `layer_changed`, `already_submitted`"


class MaskRuns(serializers.Serializer[Any]):
    size = serializers.ListField(child=serializers.IntegerField(), help_text="[height, width]")
    counts = serializers.ListField(child=serializers.IntegerField())


class StrokeShape(serializers.Serializer[Any]):
    """`keep` and `remove` are hints, the rest is found; `paint` and `erase` are the mask itself."""

    tool = serializers.ChoiceField([(tool.value, tool.value) for tool in Tool])
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), help_text="[[x, y], ...]"
    )
    width_px = serializers.FloatField()
    hardness = serializers.FloatField(default=1.0, help_text="Share of the width that is certain; the rim is matted.")


class MarksShape(serializers.Serializer[Any]):
    """For the document: `engine.repair.marks` reads the marks and names what is wrong with them."""

    strokes = StrokeShape(many=True, required=False)
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True, required=False)
    mask = MaskRuns(allow_null=True, required=False, help_text="A start in place of the layer's visible part.")
    hidden = serializers.ChoiceField([(choice.value, choice.value) for choice in Hidden], required=False)


class RepairSerializer(serializers.ModelSerializer[Repair]):
    newest = serializers.SerializerMethodField(help_text="The layer's newest version; the layer itself, or a repair.")

    class Meta:
        model = Repair
        fields = ("id", "layer", "status", "marks", "result", "newest", "created_at", "updated_at")

    def get_newest(self, repair: Repair) -> uuid.UUID:
        return newest_version(repair.layer).pk


class NewRepair(serializers.Serializer[Any]):
    layer = serializers.UUIDField()


@extend_schema_field(MarksShape)
class MarksField(serializers.JSONField):
    """Taken as it comes."""


class Submission(serializers.Serializer[Any]):
    client_id = serializers.CharField(max_length=64)
    marks = MarksField(default=None, help_text="Those of the draft without.")


class PreviewShape(serializers.Serializer[Any]):
    box = serializers.ListField(child=serializers.IntegerField(), help_text="Where the picture lies in the photo.")
    layer = serializers.CharField(help_text="RGBA PNG as a data URL, perhaps reduced.")
    visible = MaskRuns(help_text="The visible mask, of the PNG's size.")
    amodal = MaskRuns(help_text="The whole object, of the PNG's size.")
    area_share = serializers.FloatField()
    hidden_share = serializers.FloatField()
    soft_share = serializers.FloatField()


class Repairs(APIView):
    @extend_schema(
        request=NewRepair,
        responses={
            200: RepairSerializer,
            201: RepairSerializer,
            **refused(400, 401, 403, 404),
            **refused(409, why=WHY_409),
        },
    )
    def post(self, request: Request) -> Response:
        """Begin to mend a layer; 200 with one's open draft where there is one."""
        asked = NewRepair(data=request.data)
        asked.is_valid(raise_exception=True)
        layer = layer_to_mend(request.user, asked.validated_data["layer"])
        repair, is_new = repairs.open_repair(user=request.user, layer=layer)
        return Response(RepairSerializer(repair).data, status=201 if is_new else 200)


class RepairById(APIView):
    @extend_schema(responses={200: RepairSerializer, **refused(401, 403, 404)})
    def get(self, request: Request, repair_id: uuid.UUID) -> Response:
        """One's own repair."""
        return Response(RepairSerializer(repair_for(request.user, repair_id)).data)

    @extend_schema(request=None, responses={204: None, **refused(401, 403, 404), **refused(409, why=WHY_409)})
    def delete(self, request: Request, repair_id: uuid.UUID) -> Response:
        """Throw the draft away."""
        repairs.discard_repair(repair_for(request.user, repair_id))
        return Response(status=204)

    @extend_schema(
        request=MarksShape,
        responses={
            200: RepairSerializer,
            **refused(400, why=WHY_400),
            **refused(401, 403, 404),
            **refused(409, why=WHY_409),
        },
    )
    def patch(self, request: Request, repair_id: uuid.UUID) -> Response:
        """Save the draft: all marks as they are now."""
        repair = repairs.save_marks(repair=repair_for(request.user, repair_id), data=request.data)
        return Response(RepairSerializer(repair).data)


class PreviewRepair(APIView):
    @extend_schema(
        request=MarksShape, responses={200: PreviewShape, **refused(400, why=WHY_400), **refused(401, 403, 404)}
    )
    def post(self, request: Request, repair_id: uuid.UUID) -> Response:
        """What these marks make of the layer; nothing is written."""
        shown = repairs.preview(repair=repair_for(request.user, repair_id), data=request.data)
        png = base64.b64encode(encode_png(shown.layer.rgba_hwc)).decode()
        return Response(
            {
                "box": shown.box,
                "layer": f"data:image/png;base64,{png}",
                "visible": mask_to_rle(shown.layer.visible_hw),
                "amodal": mask_to_rle(shown.layer.amodal_hw),
                "area_share": shown.measures.area_share,
                "hidden_share": shown.measures.hidden_share,
                "soft_share": shown.measures.soft_share,
            }
        )


class SubmitRepair(APIView):
    @extend_schema(
        request=Submission,
        responses={
            200: LayerSerializer,
            201: LayerSerializer,
            **refused(400, why=WHY_400),
            **refused(401, 403, 404),
            **refused(409, why=WHY_409),
        },
    )
    def post(self, request: Request, repair_id: uuid.UUID) -> Response:
        """Hand the repair in: a new version of the layer, for somebody else to judge. Again: 200 and the same body."""
        handed_in = Submission(data=request.data)
        handed_in.is_valid(raise_exception=True)
        client_id, marks = handed_in.validated_data["client_id"], handed_in.validated_data["marks"]
        repair = repair_for(request.user, repair_id)
        layer, is_new = repairs.submit_repair(repair=repair, client_id=client_id, data=marks)
        return Response(LayerSerializer(layer, context={"request": request}).data, status=201 if is_new else 200)
