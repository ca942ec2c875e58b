"""For looking, not for changing: statuses move in services only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from annotation.models import Comparison, Slot, Verdict, Vote


class ReadOnly(admin.ModelAdmin):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Slot)
class SlotAdmin(ReadOnly):
    list_display = ["id", "project", "layer", "position", "status", "holder", "available_at", "priority"]
    list_filter = ["status", "project"]
    list_select_related = ["project", "layer__image", "holder"]
    search_fields = ["=id", "=layer__id"]


@admin.register(Verdict)
class VerdictAdmin(ReadOnly):
    list_display = ["id", "project", "layer", "annotator", "decision", "is_counted", "extra_reason", "created_at"]
    list_filter = ["decision", "is_counted", "extra_reason", "project"]
    list_select_related = ["project", "layer__image", "annotator"]
    search_fields = ["=id", "=layer__id", "=annotator__username"]


@admin.register(Comparison)
class ComparisonAdmin(ReadOnly):
    list_display = ["id", "project", "board", "purpose", "status", "holder", "propensity", "created_at"]
    list_filter = ["status", "purpose", "board", "project"]
    list_select_related = ["project", "holder"]
    search_fields = ["=id", "=pair"]


@admin.register(Vote)
class VoteAdmin(ReadOnly):
    list_display = ["id", "project", "comparison", "annotator", "choice", "is_counted", "extra_reason", "created_at"]
    list_filter = ["choice", "is_counted", "extra_reason", "project"]
    list_select_related = ["project", "comparison", "annotator"]
    search_fields = ["=id", "=pair", "=annotator__username"]
