"""HPA weights fitted to ratings. Versioned, and used only where somebody chose one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from evaluation.models.benchmarks import Benchmark
from evaluation.models.ratings import BOARDS, Refit


class Calibration(models.Model):
    """One fit. ``rows`` is the table of agreement: calibrated and plain HPA, each axis, each pair."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="calibrations", db_index=False)
    refit = models.ForeignKey(Refit, on_delete=models.PROTECT, related_name="calibrations")
    board = models.CharField(max_length=12, choices=BOARDS)
    version = models.PositiveIntegerField()
    bounds_version = models.CharField(max_length=120)
    networks_digest = models.CharField(max_length=64)
    weights = models.JSONField(help_text="Axis to {value, low, high}.")
    slope = models.FloatField(help_text="Elo for one of HPA.")
    intercept = models.FloatField()
    rows = models.JSONField()
    points = models.JSONField(help_text="[{producer, rating, ci_low, ci_high, axes, hpa}, ...]")
    drift = models.JSONField(default=list, help_text="[{dimension, slice, axis, pearson, producers}, ...]")
    foretelling = models.JSONField(null=True, help_text="Metric difference to chance of a vote; empty without data.")
    producers = models.PositiveSmallIntegerField()
    is_enough = models.BooleanField(help_text="At least 8 producers; with fewer nothing is claimed of the weights.")
    condition = models.FloatField(null=True)
    is_chosen = models.BooleanField(default=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "board", "version"], name="one_calibration_per_version"),
            models.UniqueConstraint(
                fields=["benchmark", "board"], condition=Q(is_chosen=True), name="one_chosen_calibration_per_board"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.board} v{self.version}"
