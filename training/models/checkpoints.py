"""Checkpoints: folders of weights that rows know, where they come from, and which of them a project uses."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models import Producer, Project
from training.models.jobs import Job, JobStatus
from training.models.snapshots import Snapshot


class Checkpoint(models.Model):
    """A folder of ``CHECKPOINT_FOLDERS``, found by its name. It never changes; better weights are another one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.CASCADE, related_name="checkpoints", help_text="Shipped: none."
    )
    name = models.CharField(max_length=100, unique=True, help_text="Of its folder.")
    digest = models.CharField(max_length=64, help_text="Over the names and bytes of its files.")
    size = models.PositiveBigIntegerField(help_text="Bytes of its files.")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.RESTRICT, related_name="children")
    snapshot = models.ForeignKey(
        Snapshot,
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="checkpoints",
        help_text="Learned from.",
    )
    recipe = models.CharField(max_length=60, blank=True)
    metrics = models.JSONField(default=dict, help_text="Of held-out examples at the end of its run.")
    producer = models.OneToOneField(Producer, on_delete=models.RESTRICT, related_name="checkpoint")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["project", "-created_at"])]

    def __str__(self) -> str:
        return self.name


class Promotion(models.Model):
    """From its moment on the project uses this checkpoint. The newest one that is not undone says what holds."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="promotions", db_index=False)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.CASCADE, related_name="promotions")
    previous = models.ForeignKey(
        Checkpoint, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="Used until then."
    )
    evidence = models.JSONField(default=dict, help_text="What it was decided on.")
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["project", "-created_at"], condition=Q(undone_at=None), name="standing_promotions")
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint} for {self.project}"


class CheckpointLayers(Job):
    """A checkpoint makes layers of a project's pictures, so that people can compare it with other producers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.CASCADE, related_name="layer_jobs")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    images = models.JSONField(help_text="Ids of the pictures, in order.")
    images_done = models.PositiveIntegerField(default=0)
    layers_made = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        ordering = ["-created_at", "-id"]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["checkpoint", "project"],
                condition=Q(status__in=(JobStatus.QUEUED, JobStatus.RUNNING)),
                name="one_live_layer_job_per_checkpoint_and_project",
            ),
        ]

    def __str__(self) -> str:
        return f"layers by {self.checkpoint}"
