"""What goes in and out of the arena."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotation.api.serializers import JudgedPromptSerializer, NamedProjectSerializer
from annotation.models import Choice, EditKind, Vote
from engine.records import LayerKind


class ViewsSerializer(serializers.Serializer[Any]):
    """How it was looked at before the vote."""

    modes = serializers.ListField(child=serializers.CharField(max_length=20), default=list, max_length=20)
    mattes = serializers.ListField(child=serializers.CharField(max_length=20), default=list, max_length=20)
    edited = serializers.BooleanField(default=False, help_text="Was the edited result on the screen when voting?")


class CriteriaSerializer(serializers.Serializer[Any]):
    """The better side by one criterion; each may be left out."""

    SIDES = ((Choice.LEFT.value, "left"), (Choice.RIGHT.value, "right"), (Choice.TIE.value, "tie"))
    preservation = serializers.ChoiceField(choices=SIDES, required=False)
    completion = serializers.ChoiceField(choices=SIDES, required=False)
    edges = serializers.ChoiceField(choices=SIDES, required=False)


class BallotSerializer(serializers.Serializer[Any]):
    choice = serializers.ChoiceField(choices=Choice.choices)
    criteria = CriteriaSerializer(default=dict)
    views = ViewsSerializer(default=dict)
    client_id = serializers.CharField(max_length=64)
    active_ms = serializers.IntegerField(min_value=0, max_value=86_400_000, default=0)


class VoteSerializer(serializers.ModelSerializer[Vote]):
    assignment = serializers.UUIDField(source="comparison_id")
    criteria = CriteriaSerializer()
    views = ViewsSerializer()

    class Meta:
        model = Vote
        fields = [
            "id",
            "assignment",
            "choice",
            "criteria",
            "views",
            "client_id",
            "active_ms",
            "is_counted",
            "created_at",
            "undone_at",
        ]


def vote_answer(vote: Vote) -> dict[str, Any]:
    """``is_counted`` as far as its author may know: the answer to a probe reads like any other."""
    return {
        "id": vote.pk,
        "assignment": vote.comparison_id,
        "choice": vote.choice,
        "criteria": vote.criteria,
        "views": vote.views,
        "client_id": vote.client_id,
        "active_ms": vote.active_ms,
        "is_counted": not vote.extra_reason and vote.undone_at is None,
        "created_at": vote.created_at,
        "undone_at": vote.undone_at,
    }


class EditSerializer(serializers.Serializer[Any]):
    """The same scripted edit for both sides, in source pixels; empty for none."""

    kind = serializers.ChoiceField(choices=EditKind.choices, required=False)
    dx = serializers.FloatField(required=False)
    dy = serializers.FloatField(required=False)
    factor = serializers.FloatField(required=False)
    x = serializers.FloatField(required=False)
    y = serializers.FloatField(required=False)


class ComparedSourceSerializer(serializers.Serializer[Any]):
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    url = serializers.CharField()
    thumbnail_url = serializers.CharField()
    credit = serializers.CharField()
    licence = serializers.CharField()


class ComparedLayerSerializer(serializers.Serializer[Any]):
    rgba_url = serializers.CharField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """For the document; the answer itself is the selector's dictionary. No producer, layer id or label."""

    id = serializers.UUIDField()
    expires_at = serializers.DateTimeField()
    project = NamedProjectSerializer()
    board = serializers.ChoiceField(choices=[(kind.value, kind.value) for kind in LayerKind])
    edit = EditSerializer()
    scene_url = serializers.CharField(allow_null=True, help_text="Of the edit `background`: the new scene.")
    source = ComparedSourceSerializer()  # type: ignore[assignment]  # a DRF field may be named like an attribute
    left = ComparedLayerSerializer()
    right = ComparedLayerSerializer()
    prompt = JudgedPromptSerializer(allow_null=True)


class ComparisonsSerializer(serializers.Serializer[Any]):
    assignments = ComparisonSerializer(many=True)


class UndoneVoteSerializer(serializers.Serializer[Any]):
    vote = VoteSerializer()
    assignment = ComparisonSerializer()
