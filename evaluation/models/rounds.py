"""Rounds of the closed loop: how far each is, what came of it, and where its time went."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from engine.models import Project
from evaluation.loop_terms import STEPS
from evaluation.models.gates import Gate
from training.models import Snapshot, TrainingRun


class LoopRound(models.Model):
    """``steps_done`` of ``evaluation.loop_terms.STEPS`` are done; whoever goes on starts at the one after them."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rounds", db_index=False)
    number = models.PositiveIntegerField(help_text="From 1.")
    terms = models.JSONField(help_text="evaluation.loop_terms.LoopTerms")
    steps_done = models.PositiveSmallIntegerField(default=0)
    snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="+")
    training_run = models.ForeignKey(TrainingRun, null=True, on_delete=models.SET_NULL, related_name="+")
    gate = models.ForeignKey(Gate, null=True, on_delete=models.SET_NULL, related_name="+")
    seconds = models.JSONField(default=dict, help_text="Step to seconds.")
    facts = models.JSONField(default=dict, help_text="What each step found: layers, acceptance, calibration.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["project", "number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="one_round_per_project_and_number"),
            models.CheckConstraint(condition=Q(steps_done__lte=len(STEPS)), name="round_has_so_many_steps"),
        ]

    def __str__(self) -> str:
        return f"round {self.number} of {self.project}"

    @property
    def step(self) -> str:
        """What is done next; empty when all is done."""
        return STEPS[self.steps_done] if self.steps_done < len(STEPS) else ""
