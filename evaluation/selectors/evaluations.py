"""Evaluations as people look at them: lists, one with its scores, and who can be scored."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from engine.models import Project
from engine.refusals import Refusal
from engine.selectors.access import projects_of, require_role
from evaluation import answering
from evaluation.models import Benchmark, EvaluationRun, MetricScore
from training.models import Checkpoint, JobStatus
from training.models.jobs import LIVE

PARTS = {
    "board": Q(dimension="", layer=None),
    "slices": ~Q(dimension="") & Q(layer=None),
    "layers": Q(layer__isnull=False),
}
"""What a score is of: a whole board, a slice of it, or one layer."""


def evaluations_of(user: Any, project: Project | None = None) -> QuerySet[EvaluationRun]:
    """Newest first."""
    found = EvaluationRun.objects.filter(benchmark__project__in=projects_of(user))
    found = found.select_related("benchmark__project", "producer").order_by("-created_at", "-id")
    return found if project is None else found.filter(benchmark__project=project)


def evaluation_for(user: Any, run_id: uuid.UUID, at_least: str) -> EvaluationRun:
    """Raises ``Refusal``: 404 for strangers and unknown ids, 403 for too low a role."""
    found = EvaluationRun.objects.select_related("benchmark__project", "producer").filter(pk=run_id).first()
    if found is None:
        raise Refusal("not_found", "There is no such evaluation.", 404)
    require_role(user, found.benchmark.project, at_least)
    return found


def scores_of(run: EvaluationRun, part: str = "board") -> QuerySet[MetricScore]:
    """One of ``PARTS``."""
    return run.scores.filter(PARTS[part]).order_by("id")


def unfinished_runs(benchmark: Benchmark) -> list[EvaluationRun]:
    """What is waiting, running or went wrong, the newest first; not what was finished since."""
    stopped = [*LIVE, JobStatus.FAILED, JobStatus.CANCELLED]
    found = benchmark.runs.filter(status__in=stopped).select_related("producer")
    finished = set(benchmark.runs.filter(status=JobStatus.FINISHED).values_list("producer", "variant"))
    return [run for run in found[:20] if run.is_live or (run.producer_id, run.variant) not in finished]


def answerers_of(project: Project) -> list[str]:
    """Who can be scored on the project's benchmarks: all but the checkpoints of other projects."""
    others = Checkpoint.objects.exclude(project=None).exclude(project=project)
    hidden = set(others.values_list("name", flat=True))
    return [name for name in answering.known(settings.CHECKPOINT_FOLDERS) if name not in hidden]
