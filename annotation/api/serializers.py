"""What goes in and out, for checks and for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotation.models import COUNTING, Decision, DefectKind, Verdict
from annotation.services.claims import MOST_AT_ONCE


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ClaimSerializer(serializers.Serializer[Any]):
    project = serializers.CharField(help_text="Id, slug or name.")
    count = serializers.IntegerField(min_value=1, max_value=MOST_AT_ONCE, default=1)


class DefectSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=DefectKind.choices)
    x = serializers.FloatField(allow_null=True, default=None, help_text="Source pixels; null for the whole layer.")
    y = serializers.FloatField(allow_null=True, default=None)


class JudgementSerializer(serializers.Serializer[Any]):
    """One decision as the page sends it."""

    verdict = serializers.ChoiceField(choices=Decision.choices, source="decision")
    defects = serializers.ListField(child=DefectSerializer(), default=list, max_length=100)
    note = serializers.CharField(allow_blank=True, max_length=2000, default="")
    client_id = serializers.CharField(max_length=64)
    active_ms = serializers.IntegerField(min_value=0, max_value=86_400_000, default=0)


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    verdict = serializers.CharField(source="decision")
    assignment = serializers.UUIDField(source="slot_id")
    layer = serializers.UUIDField(source="layer_id")
    defects = DefectSerializer(many=True)

    class Meta:
        model = Verdict
        fields = [
            "id",
            "assignment",
            "layer",
            "verdict",
            "defects",
            "note",
            "client_id",
            "active_ms",
            "is_counted",
            "created_at",
            "undone_at",
        ]


def verdict_answer(verdict: Verdict) -> dict[str, Any]:
    """What ``VerdictSerializer`` describes; made by hand, because it is answered once for every decision."""
    return {
        "id": verdict.pk,
        "assignment": verdict.slot_id,
        "layer": verdict.layer_id,
        "verdict": verdict.decision,
        "defects": verdict.defects,
        "note": verdict.note,
        "client_id": verdict.client_id,
        "active_ms": verdict.active_ms,
        # As far as its author may know: the answer to a probe reads like any other.
        "is_counted": not verdict.extra_reason and verdict.undone_at is None and verdict.decision in COUNTING,
        "created_at": verdict.created_at,
        "undone_at": verdict.undone_at,
    }


class HeartbeatSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    expires_at = serializers.DateTimeField()


class NamedProjectSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class JudgementNumberSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    of = serializers.IntegerField()


class StackedLayerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()
    depth = serializers.IntegerField()
    status = serializers.CharField(help_text="As the person decided: `accepted`, `rejected`, or `ready`.")
    box = serializers.ListField(child=serializers.FloatField())
    rgba_url = serializers.CharField()
    thumbnail_url = serializers.CharField()


class JudgedLayerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()
    depth = serializers.IntegerField()
    box = serializers.ListField(child=serializers.FloatField())
    area_share = serializers.FloatField()
    hidden_share = serializers.FloatField()
    soft_share = serializers.FloatField()
    scores = serializers.DictField(child=serializers.FloatField())
    rgba_url = serializers.CharField()
    visible_mask_url = serializers.CharField()
    thumbnail_url = serializers.CharField()


class JudgedSourceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    url = serializers.CharField()
    thumbnail_url = serializers.CharField()
    credit = serializers.CharField()
    licence = serializers.CharField()


class RunLengthsSerializer(serializers.Serializer[Any]):
    size = serializers.ListField(child=serializers.IntegerField(), help_text="[height, width]")
    counts = serializers.ListField(child=serializers.IntegerField())


class JudgedPromptSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    points = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    box = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    mask = RunLengthsSerializer(allow_null=True)
    text = serializers.CharField()
    is_ambiguous = serializers.BooleanField()


class AssignmentSerializer(serializers.Serializer[Any]):
    """For the document; the answer itself is the selector's dictionary."""

    id = serializers.UUIDField()
    expires_at = serializers.DateTimeField()
    project = NamedProjectSerializer()
    judgement = JudgementNumberSerializer()
    layer = JudgedLayerSerializer()
    source = JudgedSourceSerializer()  # type: ignore[assignment]  # a DRF field may be named like an attribute
    prompt = JudgedPromptSerializer(allow_null=True)
    prompts = JudgedPromptSerializer(many=True)
    stack = StackedLayerSerializer(many=True)


class AssignmentsSerializer(serializers.Serializer[Any]):
    assignments = AssignmentSerializer(many=True)


class UndoneSerializer(serializers.Serializer[Any]):
    verdict = VerdictSerializer()
    assignment = AssignmentSerializer()


class QueuesSerializer(serializers.Serializer[Any]):
    """Columns of equal length, one entry for each project."""

    project = serializers.ListField(child=serializers.CharField(), help_text="Slugs.")
    open = serializers.ListField(child=serializers.IntegerField())
    leased = serializers.ListField(child=serializers.IntegerField())
    expired = serializers.ListField(child=serializers.IntegerField())
    filled = serializers.ListField(child=serializers.IntegerField())
    retired = serializers.ListField(child=serializers.IntegerField())
