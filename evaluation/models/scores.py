"""Metric scores of producers on frozen benchmarks, with every choice that made them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models import Layer, Producer
from evaluation.features.variants import OFFLINE, VARIANTS
from evaluation.models.benchmarks import Benchmark, BenchmarkItem
from evaluation.models.ratings import BOARDS
from training.models.jobs import LIVE, Job, JobStatus


class EvaluationRun(Job):
    """One producer on one benchmark: asked for, answered item by item, scored. A report taken in is ``finished``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="runs", db_index=False)
    producer = models.ForeignKey(Producer, on_delete=models.PROTECT, related_name="evaluation_runs")
    checkpoint = models.CharField(max_length=200, blank=True, help_text="Who answers; empty for a report taken in.")
    variant = models.CharField(max_length=24, choices=[(name, name) for name in VARIANTS], default=OFFLINE)
    items_done = models.PositiveIntegerField(default=0, help_text="Answered so far.")
    protocol = models.JSONField(default=dict)
    networks = models.JSONField(default=dict, help_text="Each metric's network with its weights digest.")
    networks_digest = models.CharField(max_length=64, blank=True, help_text="Other networks are never on one board.")
    is_offline = models.BooleanField(help_text="Scored with the named offline networks instead of the published ones.")
    code_revision = models.CharField(max_length=60)
    page = models.FileField(max_length=200, blank=True, help_text="The report as a page that stands alone.")
    report = models.FileField(max_length=200, blank=True, help_text="The same as JSON.")
    seconds = models.FloatField(null=True, help_text="Of answering, without loading and scoring.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(Job.Meta):
        ordering = ["-created_at", "-id"]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["benchmark", "producer", "variant"],
                condition=Q(status__in=LIVE),
                name="one_live_evaluation_per_producer",
            ),
            models.CheckConstraint(
                condition=~Q(status=JobStatus.FINISHED) | ~Q(networks_digest=""),
                name="finished_evaluation_has_networks",
            ),
        ]
        indexes = [models.Index(fields=["benchmark", "producer", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.producer_id} on {self.benchmark_id}"


class Answer(models.Model):
    """What one producer made of one item, and how that was scored. ``rgba`` is empty where it made nothing."""

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="answers", db_index=False)
    item = models.ForeignKey(BenchmarkItem, on_delete=models.CASCADE, related_name="answers")
    rgba = models.CharField(max_length=200, blank=True, help_text="Stored RGBA PNG.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why there is none.")
    seconds = models.FloatField()
    values = models.JSONField(default=dict, help_text="Metric to value, once the run is scored.")

    class Meta:
        ordering = ["run", "item"]
        constraints = [
            models.UniqueConstraint(fields=["run", "item"], name="one_answer_per_run_and_item"),
            models.CheckConstraint(condition=~Q(rgba="") | ~Q(reason=""), name="missing_answer_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.item_id}"


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
