"""Calibrations as people look at them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from engine.models import Project
from engine.refusals import Refusal
from engine.selectors.access import projects_of
from evaluation.models import Benchmark, Calibration


def calibrations_of(user: Any, project: Project | None = None) -> QuerySet[Calibration]:
    """Newest first."""
    seen = Calibration.objects.select_related("benchmark", "refit").order_by("-made_at", "-id")
    if project is None:
        return seen.filter(benchmark__project__in=projects_of(user))
    return seen.filter(benchmark__project=project)


def calibration_for(benchmark: Benchmark, board: str, version: int) -> Calibration:
    """Raises ``Refusal`` 404; whoever asks was let into the benchmark before."""
    found = Calibration.objects.select_related("benchmark", "refit").filter(
        benchmark=benchmark, board=board, version=version
    )
    calibration = found.first()
    if calibration is None:
        raise Refusal("not_found", "There is no such calibration.", 404)
    return calibration
