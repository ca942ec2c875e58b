"""Frozen questions with their truths, on which every checkpoint of a project is measured alike."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from engine.models import Layer, Project
from engine.records import PromptKind
from evaluation.models.ratings import BOARDS


class BenchmarkOrigin(models.TextChoices):
    """``report``: known by the reports that were taken in; it has no items, so nothing can be predicted on it."""

    COMPOSITES = "composites", "Held-out composites"
    LAYERS = "layers", "Accepted layers"
    REPORT = "report", "Reports"


class Benchmark(models.Model):
    """Prompts and truths that never change. What is in it is its digest; a report on other truths is refused."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="benchmarks", db_index=False)
    name = models.CharField(max_length=120)
    origin = models.CharField(max_length=10, choices=BenchmarkOrigin, default=BenchmarkOrigin.REPORT)
    terms = models.JSONField(default=dict, help_text="How it was frozen: seeds, size, photographs, layers.")
    digest = models.CharField(max_length=64, help_text="Of the truths, as evaluation.score prints it.")
    bounds = models.JSONField(
        default=dict, help_text="Digest of the networks to board to evaluation.metrics.hpa.Bounds; fixed, versioned."
    )
    is_watched = models.BooleanField(default=False, help_text="New checkpoints are scored on it by themselves.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="one_benchmark_per_project_and_name"),
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(is_watched=True), name="one_watched_benchmark_per_project"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BenchmarkItem(models.Model):
    """One prompt with its truth. Pictures are files named by their bytes, so nothing here can change unseen."""

    benchmark = models.ForeignKey(Benchmark, on_delete=models.CASCADE, related_name="items", db_index=False)
    name = models.CharField(max_length=120)
    board = models.CharField(max_length=12, choices=BOARDS)
    category = models.CharField(max_length=120, blank=True)
    prompt_kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in PromptKind])
    prompt = models.JSONField(help_text="training.prompt_json")
    photo = models.CharField(max_length=120, help_text="Items of one photograph are one cluster for the intervals.")
    hidden_share = models.FloatField(help_text="Hidden over amodal pixels of the truth.")
    picture = models.CharField(max_length=200, help_text="Stored RGB PNG.")
    truth = models.CharField(max_length=200, help_text="Stored RGBA PNG.")
    visible_mask = models.CharField(max_length=200)
    background = models.CharField(max_length=200, blank=True, help_text="What truly lies behind; empty: unknown.")
    layer = models.ForeignKey(
        Layer, null=True, blank=True, on_delete=models.SET_NULL, related_name="benchmark_items", db_index=False
    )

    class Meta:
        ordering = ["benchmark", "name"]
        constraints = [
            models.UniqueConstraint(fields=["benchmark", "name"], name="one_item_per_benchmark_and_name"),
        ]
        indexes = [models.Index(fields=["layer"], condition=models.Q(layer__isnull=False), name="items_of_layers")]

    def __str__(self) -> str:
        return self.name
