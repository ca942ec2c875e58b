"""What goes in and out of the quality endpoints."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotation.api.serializers import DefectSerializer
from annotation.models import Assignee, GoldItem, QueuePolicy, Rework, Ruling


class HistoryVerdictSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    who = serializers.CharField()
    at = serializers.DateTimeField()
    decision = serializers.CharField()
    defects = DefectSerializer(many=True)
    note = serializers.CharField()
    active_ms = serializers.IntegerField()
    purpose = serializers.CharField()
    is_counted = serializers.BooleanField()
    extra_reason = serializers.CharField()
    undone_at = serializers.DateTimeField(allow_null=True)


class DisputedLayerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    kind = serializers.CharField()
    rgba_url = serializers.CharField()
    visible_mask_url = serializers.CharField()
    thumbnail_url = serializers.CharField()
    source_url = serializers.CharField()


class AdjudicationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reason = serializers.CharField()
    opened_at = serializers.DateTimeField()
    ruling = serializers.CharField()
    note = serializers.CharField()
    layer = DisputedLayerSerializer()
    verdicts = HistoryVerdictSerializer(many=True)


class AdjudicationsSerializer(serializers.Serializer[Any]):
    adjudications = AdjudicationSerializer(many=True)


class RulingSerializer(serializers.Serializer[Any]):
    ruling = serializers.ChoiceField(choices=Ruling.choices)
    note = serializers.CharField(allow_blank=True, max_length=2000, default="")


class HistorySerializer(serializers.Serializer[Any]):
    history = serializers.ListField(
        child=serializers.DictField(), help_text="Oldest first: `what` is `verdict` or the verb of an audited act."
    )
    is_withheld = serializers.BooleanField(help_text="The queue may still ask this person, who stays blind until then.")


class MakeGoldSerializer(serializers.Serializer[Any]):
    layer = serializers.UUIDField()
    is_acceptable = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True, max_length=2000, default="")


class GoldSerializer(serializers.ModelSerializer[GoldItem]):
    class Meta:
        model = GoldItem
        fields = ["id", "layer", "is_acceptable", "origin", "note", "is_active", "created_at"]


class GoldListSerializer(serializers.Serializer[Any]):
    gold = GoldSerializer(many=True)


class PolicySerializer(serializers.ModelSerializer[QueuePolicy]):
    class Meta:
        model = QueuePolicy
        exclude = ["project"]


class AssigneeSerializer(serializers.ModelSerializer[Assignee]):
    username = serializers.CharField(source="user.username", read_only=True)
    repeat_test = serializers.BooleanField(write_only=True, required=False)

    class Meta:
        model = Assignee
        fields = ["username", "is_paused", "daily_cap", "qualified_at", "repeat_test"]
        read_only_fields = ["qualified_at"]


class AssigneesSerializer(serializers.Serializer[Any]):
    assignees = AssigneeSerializer(many=True)


class ReturnSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)
    deadline_at = serializers.DateTimeField(allow_null=True, default=None)


class ReworkSerializer(serializers.ModelSerializer[Rework]):
    class Meta:
        model = Rework
        fields = ["id", "layer", "reason", "deadline_at", "created_at"]


class ReworksSerializer(serializers.Serializer[Any]):
    reworks = ReworkSerializer(many=True)


class EstimateSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    n = serializers.IntegerField()


class AlarmSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    value = serializers.FloatField()
    limit = serializers.FloatField()


class PersonQualitySerializer(serializers.Serializer[Any]):
    annotator = serializers.CharField(source="user.username")
    gold = EstimateSerializer(allow_null=True)
    repeats = EstimateSerializer(allow_null=True)
    with_others = EstimateSerializer(allow_null=True)
    alarms = AlarmSerializer(many=True)


class AgreementSerializer(serializers.Serializer[Any]):
    """Every number with its 95 % interval; null where there is nothing to measure."""

    alpha = EstimateSerializer(allow_null=True)
    raw = EstimateSerializer(allow_null=True)
    gold = EstimateSerializer(allow_null=True)
    people = PersonQualitySerializer(many=True)


class FeedbackSerializer(serializers.Serializer[Any]):
    answers = serializers.IntegerField(help_text="Gold answers in whole blocks of five.")
    right = serializers.IntegerField()


class DoubtfulLayerSerializer(serializers.Serializer[Any]):
    layer = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]
    status = serializers.CharField()
    quality = serializers.FloatField(help_text="Chance that the consensus is right, 0 to 1 (CROWDLAB).")


class DoubtfulLayersSerializer(serializers.Serializer[Any]):
    layers = DoubtfulLayerSerializer(many=True, allow_null=True, help_text="Null while there is too little to learn.")
