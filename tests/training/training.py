"""Short real training runs: few steps of few samples, from the shipped checkpoint."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from engine.models import Project
from tests.training.frozen import make_stack
from training.models import Snapshot, TrainingRun
from training.rules import Rules
from training.services.freezing import freeze_snapshot
from training.services.training_runs import start_training_run

SHORT = {"steps": 3, "batch": 2, "validation_samples": 1, "save_every": 1, "sample_every": 2}


def frozen_stacks(project: Project, pictures: int = 4, judges: tuple[Any, ...] = ()) -> Snapshot:
    for number in range(pictures):
        make_stack(project, number, judges)
    return freeze_snapshot(project=project, name="to learn", rules=Rules())


def short_run(snapshot: Snapshot, **changes: Any) -> TrainingRun:
    params = {**SHORT, **changes.pop("params", {})}
    return start_training_run(snapshot=snapshot, params=params, **changes)


def expire(run: TrainingRun) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now())
