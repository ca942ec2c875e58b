"""A frozen dataset. What it holds stands in its manifest file; the rows here find it and say what became of it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from engine.models import Layer, Project, SourceImage
from training.models.jobs import Job, JobStatus


class Snapshot(Job):
    """Accepted layers of a project at one moment. Once frozen (``finished``) a trigger keeps what it says."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="snapshots", db_index=False)
    name = models.CharField(max_length=120)
    rules = models.JSONField(help_text="training.rules.Rules")
    terms = models.JSONField(default=dict, help_text="What the manifest's header says of how it was frozen.")
    code_revision = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="Of manifest.jsonl.")
    merkle_root = models.CharField(max_length=64, blank=True)
    manifest = models.FileField(max_length=200, blank=True, help_text="manifest.jsonl as training.manifest has it.")
    rows = models.PositiveIntegerField(default=0)
    splits = models.JSONField(default=dict, help_text="Split to rows.")
    composition = models.JSONField(default=dict, help_text="training.composition.Composition.to_json")
    seconds = models.FloatField(null=True, help_text="How long freezing took.")
    deleted_rows = models.PositiveIntegerField(default=0, help_text="Layers deleted since; kept by a trigger.")
    verified_at = models.DateTimeField(null=True, blank=True)
    problems = models.PositiveIntegerField(null=True, help_text="Files and digests found wrong by the last check.")
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(Job.Meta):
        ordering = ["-created_at", "-id"]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["project", "name"],
                condition=~Q(status__in=(JobStatus.FAILED, JobStatus.CANCELLED)),
                name="one_snapshot_per_project_and_name",
            ),
            models.CheckConstraint(
                condition=~Q(status=JobStatus.FINISHED) | (~Q(digest="") & ~Q(manifest="") & Q(rows__gt=0)),
                name="frozen_snapshot_has_a_manifest",
            ),
        ]
        indexes = [models.Index(fields=["project", "-created_at"])]

    def __str__(self) -> str:
        return self.name

    @property
    def is_frozen(self) -> bool:
        return self.status == JobStatus.FINISHED


class SnapshotItem(models.Model):
    """One row of a manifest. It stays when its layer is deleted, dated by a trigger: the tombstone."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="items", db_index=False)
    layer = models.ForeignKey(
        Layer, on_delete=models.DO_NOTHING, db_constraint=False, related_name="snapshot_items", db_index=False
    )
    image = models.ForeignKey(
        SourceImage, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    row = models.CharField(max_length=120, help_text="Its id in the manifest.")
    split = models.CharField(max_length=10)
    leaf = models.BinaryField(max_length=32, help_text="Hash of the manifest's line: the leaf of the Merkle tree.")
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snapshot", "layer"], name="one_item_per_snapshot_and_layer")]
        indexes = [
            models.Index(fields=["layer"]),
            models.Index(fields=["snapshot"], condition=Q(deleted_at__isnull=False), name="tombstones"),
        ]

    def __str__(self) -> str:
        return self.row
