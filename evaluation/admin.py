"""For looking, not for changing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from evaluation.models import Benchmark, Calibration, EvaluationRun, Refit


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Refit)
class RefitAdmin(ReadOnly):
    list_display = ["id", "project", "board", "votes", "fitted_votes", "problem", "flips", "seconds", "made_at"]
    list_filter = ["board", "problem", "project"]
    list_select_related = ["project"]


@admin.register(Benchmark)
class BenchmarkAdmin(ReadOnly):
    list_display = ["name", "project", "digest", "created_at"]
    list_select_related = ["project"]


@admin.register(EvaluationRun)
class EvaluationRunAdmin(ReadOnly):
    list_display = ["id", "benchmark", "producer", "is_offline", "code_revision", "created_at"]
    list_select_related = ["benchmark", "producer"]


@admin.register(Calibration)
class CalibrationAdmin(ReadOnly):
    list_display = ["benchmark", "board", "version", "producers", "is_enough", "is_chosen", "made_at"]
    list_select_related = ["benchmark"]
