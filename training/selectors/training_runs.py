"""Training runs as people look at them: lists, the series of one, how fast it is and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Q, QuerySet

from engine.models import Layer, Project, Role
from engine.refusals import Refusal
from engine.selectors.access import find_project, projects_of, require_role
from training.models import JobStatus, SnapshotItem, TrainingMetric, TrainingRun
from training.rules import rules_from_json
from training.selectors.candidates import Reservation, pictures_of

RECENT = 12
"""So many of the last steps say how fast a run is now."""


@dataclass(frozen=True, slots=True)
class Pace:
    """``samples_per_s`` of the last steps, ``seconds_per_step`` over them, ``eta_s`` until the last one."""

    samples_per_s: float | None = None
    seconds_per_step: float | None = None
    eta_s: float | None = None


def training_runs_of(user: Any, project: Project | None = None) -> QuerySet[TrainingRun]:
    """Newest first."""
    found = TrainingRun.objects.filter(project__in=projects_of(user)).select_related(
        "project", "snapshot", "parent", "checkpoint", "asked_by"
    )
    return found if project is None else found.filter(project=project)


def training_run_for(user: Any, run_id: Any, at_least: str = Role.VIEWER) -> TrainingRun:
    """Raises ``Refusal``: 404 for strangers and unknown ids, 403 for too low a role."""
    seen = TrainingRun.objects.select_related("project", "snapshot", "parent", "checkpoint", "asked_by")
    run = seen.filter(pk=run_id).first()
    if run is None:
        raise Refusal("not_found", "There is no such training run.", 404)
    require_role(user, run.project, at_least)
    return run


def find_training_run(key: str) -> TrainingRun:
    """By id, or as ``project/number``; for commands. Raises ``Refusal`` 404."""
    name, _, number = key.rpartition("/")
    project = find_project(name) if name else None
    chosen = Q(project=project, number=int(number)) if project is not None and number.isdigit() else None
    if chosen is None and len(key) == 36:
        chosen = Q(pk=key)
    run = TrainingRun.objects.select_related("project", "snapshot", "parent").filter(chosen).first() if chosen else None
    if run is None:
        raise Refusal("not_found", f"There is no training run {key}.", 404)
    return run


def series_of(run: TrainingRun, kind: str = "train") -> list[TrainingMetric]:
    """All its numbers of a kind, by step."""
    return list(run.series.filter(kind=kind).order_by("step"))


def pace_of(run: TrainingRun) -> Pace:
    last = list(run.series.filter(kind="train").order_by("-step")[:RECENT])
    rates = [row.numbers["samples_per_s"] for row in last if row.numbers.get("samples_per_s")]
    if not run.step or not run.trained_s:
        return Pace(median(rates) if rates else None)
    per_step = run.trained_s / run.step
    left = max(0, run.steps - run.step) * per_step if run.status == JobStatus.RUNNING else None
    return Pace(median(rates) if rates else None, per_step, left)


def runs_with_layer(layer: Layer) -> QuerySet[TrainingRun]:
    """Every run that learned from it: through its snapshot's training split, or as a layer nobody had judged."""
    frozen = Q(snapshot__items__layer=layer.pk, snapshot__items__split="train", weights__validated__gt=0)
    found = TrainingRun.objects.filter(frozen | Q(automatic=layer)).filter(started_at__isnull=False)
    return found.select_related("snapshot", "checkpoint", "project").distinct().order_by("created_at")


def reserved_pictures_of(run: TrainingRun) -> list[Reservation]:
    """Pictures that it would learn from and that became gold, or part of a benchmark or of votes, after the freeze."""
    frozen = SnapshotItem.objects.filter(snapshot=run.snapshot, split="train").values("layer")
    learned = Q(training_runs=run)
    if run.weights["validated"] > 0:
        learned |= Q(pk__in=frozen)
    layers = Layer.objects.filter(learned, project=run.project).order_by()
    return pictures_of(run.project, layers, rules_from_json(run.snapshot.rules)).reserved
