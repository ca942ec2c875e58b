"""Django's admin over snapshots, exports and predictions, for operators: to look, not to work in."""

from __future__ import annotations

from django.contrib import admin

from engine.admin import LookOnly
from training.models import Export, Prediction, ReservedPicture, Snapshot


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
