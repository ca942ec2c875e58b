"""Needed judgements and the judgements people gave.

A ``Slot`` is one judgement that a layer still needs or got. It is narrow and hot: the claim reads one partial index
of it and nothing wide. A ``Verdict`` is never changed in what it says; undo only dates it.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models import Layer, Project


class SlotStatus(models.TextChoices):
    """``retired``: the layer needs it no longer. It is opened again when the layer does."""

    OPEN = "open"
    LEASED = "leased"
    FILLED = "filled"
    RETIRED = "retired"


CLAIMABLE = (SlotStatus.OPEN, SlotStatus.LEASED)


class SlotPurpose(models.TextChoices):
    """Probes look like any other slot to the person: ``gold`` has a known answer, ``mirror`` repeats an own verdict."""

    JUDGEMENT = "judgement"
    GOLD = "gold"
    MIRROR = "mirror"


class Slot(models.Model):
    """One needed judgement of one layer; its id is the assignment id of the API.

    A leased slot whose ``available_at`` has passed may be claimed like an open one: no sweeper is needed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="slots", db_index=False)
    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="slots", db_index=False)
    purpose = models.CharField(
        max_length=9, choices=SlotPurpose, default=SlotPurpose.JUDGEMENT, db_default=SlotPurpose.JUDGEMENT
    )
    position = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="1..k within the layer; above k after a conflict; empty for a probe."
    )
    status = models.CharField(max_length=7, choices=SlotStatus, default=SlotStatus.OPEN)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    available_at = models.DateTimeField(help_text="When it may be claimed; the end of the lease of a leased slot.")
    priority = models.SmallIntegerField(default=0, help_text="Higher is served first.")
    random_key = models.FloatField(help_text="Order within a priority, 0..1; the same for all slots of a layer.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["layer", "position"], name="one_slot_per_layer_and_position"),
            models.UniqueConstraint(
                fields=["holder", "layer"],
                condition=Q(status=SlotStatus.LEASED),
                name="one_lease_per_person_and_layer",
            ),
            models.CheckConstraint(
                condition=Q(status=SlotStatus.LEASED, holder__isnull=False)
                | (~Q(status=SlotStatus.LEASED) & Q(holder__isnull=True)),
                name="leased_slot_has_a_holder",
            ),
            models.CheckConstraint(condition=Q(status__in=SlotStatus.values), name="slot_status_is_known"),
            models.CheckConstraint(condition=Q(position__gte=1), name="slot_position_starts_at_1"),
            models.CheckConstraint(condition=Q(purpose__in=SlotPurpose.values), name="slot_purpose_is_known"),
            models.CheckConstraint(
                condition=Q(purpose=SlotPurpose.JUDGEMENT, position__isnull=False)
                | (~Q(purpose=SlotPurpose.JUDGEMENT) & Q(position__isnull=True) & ~Q(status=SlotStatus.OPEN)),
                name="probe_has_no_position_and_is_never_open",
            ),
        ]
        indexes = [
            models.Index(
                "project",
                models.F("priority").desc(),
                "random_key",
                "position",
                condition=Q(status__in=CLAIMABLE),
                name="claimable_slots",
            ),
            models.Index(
                fields=["project", "purpose"], condition=~Q(purpose=SlotPurpose.JUDGEMENT), name="probe_slots"
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.position} of {self.layer_id}"


class Decision(models.TextChoices):
    """What a person says, and what it does to the queue.

    ``accept`` and ``reject`` count: they fill the slot, and the layer is settled once enough of them agree.
    ``unsure`` does not count: the slot opens again, before others, for anybody but this person; after as many people
    as the project's policy says, a reviewer decides.
    ``broken`` does not count either: the picture cannot be judged, so the slots are retired and a curator looks.
    """

    ACCEPT = "accept"
    REJECT = "reject"
    UNSURE = "unsure"
    BROKEN = "broken"


COUNTING = (Decision.ACCEPT, Decision.REJECT)


class DefectKind(models.TextChoices):
    HALO = "halo"
    HOLE = "hole"
    BLEED = "bleed"
    MISSING_PART = "missing_part"
    DUPLICATE = "duplicate"
    WRONG_ORDER = "wrong_order"
    INVENTED = "invented"
    LOST_SHADOW = "lost_shadow"


FLAG = "⚑"
"""Begins the note of a layer that somebody flagged for a curator."""


class ExtraReason(models.TextChoices):
    """Why an accept or reject was kept without counting."""

    LEASE_LOST = "lease_lost", "The lease had ended and somebody else took the layer."
    LAYER_SETTLED = "layer_settled", "The layer needed no further judgement."


class Verdict(models.Model):
    """One person's judgement of one layer. What it says never changes: a trigger of the database holds that.

    It counts, or it is an extra with a reason, or it was ``unsure`` or ``broken``, or it answers a probe.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="verdicts", db_index=False)
    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="verdicts", db_index=False)
    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="verdicts")
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="verdicts", db_index=False
    )
    decision = models.CharField(max_length=6, choices=Decision)
    defects = models.JSONField(default=list, blank=True, help_text="[{kind, x, y}], x and y in source pixels or null.")
    note = models.CharField(max_length=2000, blank=True)
    client_id = models.CharField(max_length=64, help_text="Made by the client; the same again is the same verdict.")
    active_ms = models.PositiveIntegerField(help_text="From paint to decision, without pauses.")
    is_counted = models.BooleanField()
    extra_reason = models.CharField(max_length=13, choices=ExtraReason, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True, help_text="A verdict taken back stays as history.")
    is_recalled = models.BooleanField(
        default=False,
        db_default=False,
        help_text="An admin took it back, and the person does not judge the layer again.",
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["annotator", "client_id"], name="one_verdict_per_person_and_client_id"),
            models.UniqueConstraint(fields=["slot"], condition=Q(is_counted=True), name="one_counted_verdict_per_slot"),
            models.UniqueConstraint(
                fields=["annotator", "layer"],
                condition=Q(is_counted=True),
                name="one_counted_verdict_per_person_and_layer",
            ),
            models.CheckConstraint(
                condition=Q(is_counted=False) | Q(extra_reason="", undone_at__isnull=True, decision__in=COUNTING),
                name="counted_verdict_is_plain",
            ),
            models.CheckConstraint(condition=Q(decision__in=Decision.values), name="verdict_decision_is_known"),
            models.CheckConstraint(
                condition=Q(is_recalled=False) | Q(undone_at__isnull=False), name="recalled_verdict_is_taken_back"
            ),
        ]
        indexes = [
            models.Index(fields=["layer", "annotator"]),
            models.Index(fields=["annotator", "-created_at"]),
            models.Index(fields=["project", "-created_at"]),
            models.Index(
                fields=["project", "-created_at", "-id"],
                condition=Q(note__startswith=FLAG, undone_at=None),
                name="flagged_verdicts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.decision} by {self.annotator_id} on {self.layer_id}"


class SeenFlag(models.Model):
    """A flagged verdict that a reviewer has dealt with."""

    verdict = models.OneToOneField(Verdict, primary_key=True, on_delete=models.CASCADE, related_name="seen_flag")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"flag of {self.verdict_id} seen"
