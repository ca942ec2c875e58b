"""Numbers in columns, ready for charts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from engine.api.asking import FunnelFilter, asked, refused
from engine.models import StageRun
from engine.selectors.access import project_for
from engine.selectors.funnel import funnel
from engine.selectors.runs import run_for

COUNTS = ("kept", "dropped", "failed", "layers_in", "layers_out")


class FunnelColumns(serializers.Serializer[Any]):
    """Columns of equal length, one entry per stage. `in` is pictures; reasons are `{reason: count}`."""

    stage = serializers.ListField(child=serializers.CharField())
    kept = serializers.ListField(child=serializers.IntegerField())
    dropped = serializers.ListField(child=serializers.IntegerField())
    failed = serializers.ListField(child=serializers.IntegerField())
    layers_in = serializers.ListField(child=serializers.IntegerField())
    layers_out = serializers.ListField(child=serializers.IntegerField())
    kept_share = serializers.ListField(child=serializers.FloatField(allow_null=True))
    seconds_median = serializers.ListField(child=serializers.FloatField(allow_null=True))
    reasons = serializers.ListField(child=serializers.DictField(child=serializers.IntegerField()))
    layer_reasons = serializers.ListField(child=serializers.DictField(child=serializers.IntegerField()))

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {
            "stage": fields.pop("stage"),
            "in": serializers.ListField(child=serializers.IntegerField()),
            **fields,
        }


class Funnel(APIView):
    """The six stages of one run, or of all runs of a project together."""

    @extend_schema(parameters=[FunnelFilter], responses={200: FunnelColumns, **refused(400, 401, 404)})
    def get(self, request: Request) -> Response:
        asked_for = asked(request, FunnelFilter).validated_data
        if "run" in asked_for:
            stage_runs = StageRun.objects.filter(run=run_for(request.user, asked_for["run"]))
        else:
            stage_runs = StageRun.objects.filter(run__project=project_for(request.user, asked_for["project"]))
        rows = funnel(stage_runs)
        columns = {name: [getattr(row, name) for row in rows] for name in ("stage", *COUNTS)}
        return Response(
            {
                **columns,
                "in": [row.pictures_in for row in rows],
                "kept_share": [row.kept_share for row in rows],
                "seconds_median": [row.seconds_median for row in rows],
                "reasons": [dict((*row.reasons, *row.failures)) for row in rows],
                "layer_reasons": [dict(row.layer_reasons) for row in rows],
            }
        )
