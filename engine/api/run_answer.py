"""A run's report as JSON: what ``GET /api/runs/{id}/`` answers and the run page polls, with its schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from engine.models import EngineRun
from engine.selectors.runs import RunReport


class ReasonCount(serializers.Serializer[Any]):
    reason = serializers.CharField()
    count = serializers.IntegerField()


class StageAnswer(serializers.Serializer[Any]):
    """Pictures: `in` = `kept` + `dropped` + `failed`; `waiting` are queued for or inside the stage."""

    stage = serializers.CharField()
    kept = serializers.IntegerField()
    dropped = serializers.IntegerField()
    failed = serializers.IntegerField()
    waiting = serializers.IntegerField()
    kept_share = serializers.FloatField(allow_null=True)
    seconds_median = serializers.FloatField(allow_null=True)
    seconds_total = serializers.FloatField()
    device_s_total = serializers.FloatField(help_text="Of the seconds, those inside networks.")
    tokens_total = serializers.IntegerField(help_text="Read and written by language networks.")
    layers_in = serializers.IntegerField()
    layers_out = serializers.IntegerField()
    reasons = ReasonCount(many=True)
    failures = ReasonCount(many=True)
    layer_reasons = ReasonCount(many=True)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"stage": fields.pop("stage"), "in": serializers.IntegerField(), **fields}


class WorkerAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    device = serializers.CharField()
    doing = serializers.CharField()
    device_used_mb = serializers.IntegerField(source="worker.device_used_mb")
    device_free_mb = serializers.IntegerField(source="worker.device_free_mb")
    resident = serializers.ListField(
        child=serializers.ListField(), source="worker.resident", help_text="Networks in memory: name and MB."
    )
    pictures = serializers.IntegerField(help_text="Of this run, in its hands now.")
    done = serializers.IntegerField(help_text="Of this run, brought to an end.")
    silent_s = serializers.FloatField()
    is_silent = serializers.BooleanField()


class RunAnswer(serializers.ModelSerializer[EngineRun]):
    is_live = serializers.BooleanField()
    done_share = serializers.FloatField(help_text="0..1 of all stages of all pictures.")
    items = serializers.DictField(child=serializers.IntegerField(), help_text="Item status to count.")
    stages = StageAnswer(many=True)
    layers = serializers.DictField(child=serializers.IntegerField(), help_text="Layer status to count.")
    workers = WorkerAnswer(many=True)

    class Meta:
        model = EngineRun
        fields = (
            "id",
            "project",
            "recipe_name",
            "recipe",
            "seed",
            "status",
            "code_revision",
            "created_at",
            "finished_at",
            "is_live",
            "done_share",
            "items",
            "stages",
            "layers",
            "workers",
        )

    def to_representation(self, report: Any) -> dict[str, Any]:
        return run_answer(report)


def run_answer(report: RunReport) -> dict[str, Any]:
    """The report as JSON: what ``GET /api/runs/{id}/`` answers and the run page polls."""
    run = report.run
    return {
        "id": str(run.id),
        "project": str(run.project_id),
        "recipe_name": run.recipe_name,
        "recipe": run.recipe,
        "seed": run.seed,
        "status": run.status,
        "code_revision": run.code_revision,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "is_live": report.is_live,
        "done_share": report.done_share,
        "items": report.items,
        "stages": [
            {
                "stage": stage.stage,
                "in": stage.pictures_in,
                "kept": stage.kept,
                "dropped": stage.dropped,
                "failed": stage.failed,
                "waiting": report.waiting[stage.stage],
                "kept_share": stage.kept_share,
                "seconds_median": stage.seconds_median,
                "seconds_total": stage.seconds_total,
                "device_s_total": stage.device_s_total,
                "tokens_total": stage.tokens_total,
                "layers_in": stage.layers_in,
                "layers_out": stage.layers_out,
                "reasons": _counts(stage.reasons),
                "failures": _counts(stage.failures),
                "layer_reasons": _counts(stage.layer_reasons),
            }
            for stage in report.stages
        ],
        "layers": report.layers_by_status,
        "workers": WorkerAnswer(report.workers, many=True).data,
    }


def _counts(reasons: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    return [{"reason": reason, "count": count} for reason, count in reasons]
