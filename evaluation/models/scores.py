"""Metric scores of producers on frozen benchmarks, with every choice that made them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from engine.models import Layer, Producer, Project
from evaluation.models.ratings import BOARDS


class Benchmark(models.Model):
    """Prompts and truths that never change. What is in it is its digest; a report on other truths is refused."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="benchmarks", db_index=False)
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, help_text="Of the truths, as evaluation.score prints it.")
    bounds = models.JSONField(default=dict, help_text="Board to evaluation.metrics.hpa.Bounds; fixed, versioned.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="one_benchmark_per_project_and_name"),
        ]

    def __str__(self) -> str:
        return self.name


class EvaluationRun(models.Model):
    """One producer scored once on one benchmark."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="runs", db_index=False)
    producer = models.ForeignKey(Producer, on_delete=models.PROTECT, related_name="evaluation_runs")
    protocol = models.JSONField(default=dict)
    networks = models.JSONField(default=dict, help_text="Each metric's network with its weights digest.")
    networks_digest = models.CharField(max_length=64, help_text="Runs of other networks are never on one board.")
    is_offline = models.BooleanField(help_text="Scored with the named offline networks instead of the published ones.")
    code_revision = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["benchmark", "producer", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.producer_id} on {self.benchmark_id}"


class MetricScore(models.Model):
    """One number: a metric over a board, over a slice of it, or of one layer. ``value`` is empty where undefined."""

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="scores")
    board = models.CharField(max_length=12, choices=BOARDS)
    metric = models.CharField(max_length=40)
    dimension = models.CharField(max_length=40, blank=True, help_text="Of a slice; empty for the whole board.")
    slice = models.CharField(max_length=120, blank=True)
    layer = models.ForeignKey(Layer, null=True, blank=True, on_delete=models.CASCADE, related_name="metric_scores")
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.PositiveIntegerField()
    reason = models.CharField(max_length=300, blank=True)
    choices = models.JSONField(default=dict)

    class Meta:
        ordering = ["run", "board", "dimension", "slice", "metric", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "board", "metric", "dimension", "slice", "layer"],
                nulls_distinct=False,
                name="one_score_per_run_and_thing",
            ),
            models.CheckConstraint(condition=Q(value__isnull=False) | ~Q(reason=""), name="undefined_score_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"
