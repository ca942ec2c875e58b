"""Known answers, and the decisions of reviewers."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models import Layer, Project


class GoldOrigin(models.TextChoices):
    TRUTH = "truth"
    REVIEWER = "reviewer"


class GoldItem(models.Model):
    """A layer whose answer is known. It is settled, served as a probe, and never told from other layers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gold_items", db_index=False)
    layer = models.OneToOneField(Layer, on_delete=models.CASCADE, related_name="gold_item")
    is_acceptable = models.BooleanField(help_text="The right answer.")
    origin = models.CharField(max_length=8, choices=GoldOrigin)
    note = models.CharField(max_length=2000, blank=True, help_text="Why it is the right answer.")
    is_active = models.BooleanField(default=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["project", "is_active"])]

    def __str__(self) -> str:
        return f"gold {self.layer_id}"


class AdjudicationReason(models.TextChoices):
    CONFLICT = "conflict"
    UNSURE = "unsure"
    BROKEN = "broken"


class Ruling(models.TextChoices):
    """``reopen`` sends the layer back to the queue, for people who have not judged it."""

    ACCEPT = "accept"
    REJECT = "reject"
    REOPEN = "reopen"


class Adjudication(models.Model):
    """A layer taken out of the queue until a reviewer decides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="adjudications", db_index=False)
    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="adjudications")
    reason = models.CharField(max_length=8, choices=AdjudicationReason)
    opened_at = models.DateTimeField(auto_now_add=True)
    ruling = models.CharField(max_length=6, choices=Ruling, blank=True, help_text="Empty while open.")
    note = models.CharField(max_length=2000, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["opened_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["layer"], condition=Q(ruling=""), name="one_open_adjudication_per_layer"),
            models.CheckConstraint(
                condition=Q(ruling="", decided_at__isnull=True, decided_by__isnull=True)
                | (~Q(ruling="") & Q(decided_at__isnull=False, decided_by__isnull=False)),
                name="decided_adjudication_has_a_reviewer",
            ),
        ]
        indexes = [models.Index(fields=["project", "opened_at"], condition=Q(ruling=""), name="open_adjudications")]

    def __str__(self) -> str:
        return f"{self.reason}: {self.ruling or 'open'}"


class Rework(models.Model):
    """A rejected layer that went back to the person who made it; after the deadline anybody may take it up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reworks", db_index=False)
    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="reworks")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reworks")
    reason = models.CharField(max_length=2000)
    deadline_at = models.DateTimeField()
    returned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    replaced_by = models.ForeignKey(
        Layer, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="The new version."
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["deadline_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["layer"], condition=Q(closed_at__isnull=True), name="one_open_rework_per_layer"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "deadline_at"], condition=Q(closed_at__isnull=True), name="open_reworks")
        ]

    def __str__(self) -> str:
        return f"rework of {self.layer_id} by {self.author_id}"
