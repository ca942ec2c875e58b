"""Blind comparisons of two producers' layers of one thing, and the votes people gave.

A ``Comparison`` is one needed vote: a hot row with a lease, like a slot. What it shows (sides, edit, prompt) is
decided by the server and never changed. A ``Vote`` is never changed in what it says; undo only dates it.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models.judging import CLAIMABLE, SlotPurpose, SlotStatus
from engine.models import Layer, Project, Prompt, SourceImage
from engine.records import LayerKind


class Choice(models.TextChoices):
    """``both_bad`` is a tie for the rating, and a signal of its own."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both_bad"


class Criterion(models.TextChoices):
    """What a vote may optionally be told by, each with the side that is better or ``tie``."""

    PRESERVATION = "preservation"
    COMPLETION = "completion"
    EDGES = "edges"


class EditKind(models.TextChoices):
    """An edit probe: the same scripted edit on both sides, because edited layers are what people want layers for."""

    MOVE = "move"
    SCALE = "scale"
    BACKGROUND = "background"


class VoteExtraReason(models.TextChoices):
    """Why a vote was kept without counting."""

    LEASE_LOST = "lease_lost", "The lease had ended and somebody else took this comparison."
    ALREADY_VOTED = "already_voted", "You have voted on these two layers before."


class Comparison(models.Model):
    """Two layers of one thing with their sides; its id is the assignment id of the API."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="comparisons", db_index=False)
    image = models.ForeignKey(SourceImage, on_delete=models.CASCADE, related_name="comparisons")
    board = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in LayerKind])
    left = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="+")
    right = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="+")
    pair = models.UUIDField(help_text="The same for the same two layers, whatever their sides.")
    prompt = models.ForeignKey(Prompt, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    edit = models.JSONField(default=dict, blank=True, help_text="{} or {kind, ...} in source pixels, for both sides.")
    purpose = models.CharField(max_length=9, choices=SlotPurpose, default=SlotPurpose.JUDGEMENT)
    expected = models.CharField(max_length=8, choices=Choice, blank=True, help_text="Of gold: the right answer.")
    repeats = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="Of a mirror repeat."
    )
    propensity = models.FloatField(null=True, blank=True, help_text="Chance with which these two producers were drawn.")
    status = models.CharField(max_length=7, choices=SlotStatus, default=SlotStatus.OPEN)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    available_at = models.DateTimeField(help_text="When it may be claimed; the end of the lease of a leased one.")
    random_key = models.FloatField(help_text="Order in the queue, 0..1.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status=SlotStatus.LEASED, holder__isnull=False)
                | (~Q(status=SlotStatus.LEASED) & Q(holder__isnull=True)),
                name="leased_comparison_has_a_holder",
            ),
            models.CheckConstraint(
                condition=~Q(left=models.F("right")) | Q(purpose=SlotPurpose.GOLD, expected=Choice.TIE),
                name="only_gold_compares_a_layer_with_itself",
            ),
            models.CheckConstraint(
                condition=Q(purpose=SlotPurpose.GOLD) ^ Q(expected=""), name="gold_comparison_has_an_answer"
            ),
            models.CheckConstraint(
                condition=Q(purpose=SlotPurpose.MIRROR) ^ Q(repeats=None), name="mirror_comparison_repeats_one"
            ),
            models.CheckConstraint(
                condition=Q(purpose=SlotPurpose.JUDGEMENT) | ~Q(status=SlotStatus.OPEN),
                name="comparison_probe_is_never_open",
            ),
            models.CheckConstraint(
                condition=Q(propensity=None) | Q(propensity__gt=0, propensity__lte=1), name="propensity_is_a_chance"
            ),
        ]
        indexes = [
            models.Index(
                fields=["project", "random_key"], condition=Q(status__in=CLAIMABLE), name="claimable_comparisons"
            ),
            models.Index(fields=["pair"]),
        ]

    def __str__(self) -> str:
        return f"comparison {self.pk}"


class Vote(models.Model):
    """One person's vote on one comparison. It counts, or it is an extra with a reason, or it answers a probe."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="votes", db_index=False)
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="votes")
    pair = models.UUIDField(help_text="The comparison's.")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="votes", db_index=False
    )
    choice = models.CharField(max_length=8, choices=Choice)
    criteria = models.JSONField(default=dict, blank=True, help_text="Criterion to left, right or tie; all optional.")
    views = models.JSONField(default=dict, blank=True, help_text="{modes, mattes, edited}: how it was looked at.")
    client_id = models.CharField(max_length=64, help_text="Made by the client; the same again is the same vote.")
    active_ms = models.PositiveIntegerField(help_text="From paint to vote, without pauses.")
    is_counted = models.BooleanField()
    extra_reason = models.CharField(max_length=13, choices=VoteExtraReason, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True, help_text="A vote taken back stays as history.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["annotator", "client_id"], name="one_vote_per_person_and_client_id"),
            models.UniqueConstraint(
                fields=["comparison"], condition=Q(is_counted=True), name="one_counted_vote_per_comparison"
            ),
            models.UniqueConstraint(
                fields=["annotator", "pair"], condition=Q(is_counted=True), name="one_counted_vote_per_person_and_pair"
            ),
            models.CheckConstraint(
                condition=Q(is_counted=False) | Q(extra_reason="", undone_at__isnull=True),
                name="counted_vote_is_plain",
            ),
            models.CheckConstraint(condition=Q(choice__in=Choice.values), name="vote_choice_is_known"),
        ]
        indexes = [
            models.Index(fields=["annotator", "pair"]),
            models.Index(fields=["annotator", "-created_at"]),
            models.Index(fields=["project", "created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.choice} by {self.annotator_id}"
