"""Exports of snapshots: jobs that write part by part, so that a worker can stop anywhere and another goes on."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from training.models.jobs import Job
from training.models.snapshots import Snapshot


class ExportFormat(models.TextChoices):
    WEBDATASET = "webdataset", "WebDataset"
    PARQUET = "parquet", "Parquet"
    COCO = "coco", "COCO"
    PSD = "psd", "Photoshop"
    ORA = "ora", "OpenRaster"
    TRIPLETS = "triplets", "Triplets"
    FOLDER = "folder", "Dataset folder"


class Export(Job):
    """``parts_done`` parts are stored for good; the next claim starts at the one after them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="exports")
    format = models.CharField(max_length=10, choices=ExportFormat)
    part_rows = models.PositiveIntegerField(help_text="So many rows a part; a photo is never divided.")
    parts = models.PositiveIntegerField(null=True, help_text="Known after the first claim; the closing files are one.")
    parts_done = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes stored so far.")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(Job.Meta):
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.format} of {self.snapshot}"


class ExportFile(models.Model):
    """One file of an export. A part's files are stored in one piece, as members of a tar: all of them make a tar."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="files", db_index=False)
    part = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    piece = models.CharField(max_length=200, help_text="The stored file it lies in.")
    offset = models.PositiveBigIntegerField(help_text="Of its first byte in the piece.")
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["export", "part", "offset"]
        constraints = [models.UniqueConstraint(fields=["export", "part", "name"], name="one_export_file_per_part")]
        indexes = [models.Index(fields=["export", "name"])]

    def __str__(self) -> str:
        return self.name
