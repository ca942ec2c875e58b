"""Gates: a new checkpoint on its way to be used, with what it was measured and voted by."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from engine.models import Project
from evaluation.models.benchmarks import Benchmark
from evaluation.models.ratings import BOARDS
from evaluation.models.scores import EvaluationRun
from training.models import Checkpoint, CheckpointLayers, Promotion


class GateStatus(models.TextChoices):
    SCORING = "scoring"
    VOTING = "voting"
    PROMOTED = "promoted"
    HELD = "held"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OPEN_GATES = (GateStatus.SCORING, GateStatus.VOTING)
DECIDED_GATES = (GateStatus.PROMOTED, GateStatus.HELD, GateStatus.REJECTED)


class Gate(models.Model):
    """``rival`` is what the project used when the gate was opened. ``evidence`` is what it was decided on, frozen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gates", db_index=False)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.CASCADE, related_name="gates")
    rival = models.ForeignKey(Checkpoint, on_delete=models.CASCADE, related_name="+")
    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="gates")
    board = models.CharField(max_length=12, choices=BOARDS, help_text="On which people vote.")
    budget = models.PositiveIntegerField(default=200, validators=[MinValueValidator(1)], help_text="Votes at most.")
    confidence = models.FloatField(default=0.95, validators=[MinValueValidator(0.5), MaxValueValidator(0.999)])
    run = models.ForeignKey(EvaluationRun, null=True, on_delete=models.SET_NULL, related_name="+")
    rival_run = models.ForeignKey(EvaluationRun, null=True, on_delete=models.SET_NULL, related_name="+")
    layers = models.ForeignKey(CheckpointLayers, null=True, on_delete=models.SET_NULL, related_name="+")
    rival_layers = models.ForeignKey(CheckpointLayers, null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=9, choices=GateStatus, default=GateStatus.SCORING)
    verdict = models.CharField(max_length=300, blank=True, help_text="Why it was decided so, in a sentence.")
    evidence = models.JSONField(default=dict)
    promotion = models.ForeignKey(Promotion, null=True, on_delete=models.SET_NULL, related_name="+")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty: the votes, or the end of the budget.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True, help_text="When its disagreements went to the queue.")
    returned = models.JSONField(default=list, help_text="[{layer, reason}, ...]")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(status__in=OPEN_GATES), name="one_open_gate_per_project"
            ),
            models.CheckConstraint(condition=~Q(checkpoint=models.F("rival")), name="gate_has_two_checkpoints"),
            models.CheckConstraint(
                condition=Q(status__in=OPEN_GATES) | Q(decided_at__isnull=False), name="decided_gate_has_its_time"
            ),
            models.CheckConstraint(condition=Q(status__in=GateStatus.values), name="gate_status_is_known"),
        ]
        indexes = [models.Index(fields=["project", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.checkpoint} against {self.rival}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_GATES
