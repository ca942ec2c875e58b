"""Django's admin over snapshots, training runs and checkpoints, for operators: to look, not to work in."""

from __future__ import annotations

from django.contrib import admin

from engine.admin import LookOnly
from training.models import (
    Checkpoint,
    Export,
    Prediction,
    Promotion,
    ReservedPicture,
    RetrainPolicy,
    Snapshot,
    TrainingRun,
)


@admin.register(Snapshot)
class SnapshotAdmin(LookOnly):
    list_display = ("name", "project", "status", "rows", "merkle_root", "deleted_rows", "created_at")
    list_filter = ("status", "project")


@admin.register(Export)
class ExportAdmin(LookOnly):
    list_display = ("snapshot", "format", "status", "parts_done", "parts", "size", "reason", "created_at")
    list_filter = ("status", "format")


@admin.register(ReservedPicture)
class ReservedPictureAdmin(LookOnly):
    list_display = ("name", "project", "purpose", "reserved_for", "created_at")
    list_filter = ("purpose", "project")


@admin.register(Prediction)
class PredictionAdmin(LookOnly):
    list_display = ("image", "checkpoint", "asked_by", "status", "seconds", "reason", "created_at")
    list_filter = ("status", "checkpoint")


@admin.register(TrainingRun)
class TrainingRunAdmin(LookOnly):
    list_display = ("project", "number", "recipe", "status", "step", "steps", "trigger", "reason", "created_at")
    list_filter = ("status", "trigger", "project")


@admin.register(Checkpoint)
class CheckpointAdmin(LookOnly):
    list_display = ("name", "project", "parent", "snapshot", "digest", "created_at")
    list_filter = ("project",)


@admin.register(Promotion)
class PromotionAdmin(LookOnly):
    list_display = ("project", "checkpoint", "previous", "promoted_by", "created_at", "undone_at")
    list_filter = ("project",)


@admin.register(RetrainPolicy)
class RetrainPolicyAdmin(LookOnly):
    list_display = ("project", "is_enabled", "every_layers", "every_days", "hpa_drop", "cooldown_hours", "budget_runs")
