"""Periodic work, and scoring. A message carries no work: it says "look into the database"."""

from __future__ import annotations

import time

from celery import shared_task

from engine.models import Project
from evaluation.models import DECIDED_GATES, OPEN_GATES, EvaluationRun, Gate
from evaluation.selectors.drift import hpa_drop
from evaluation.services import evaluations, gates
from evaluation.services.gate_returns import return_doubtful
from evaluation.services.ratings import refit_stale_boards
from training.services.leases import LeaseLost, claim, give_up_on_poison, has_claimable
from training.services.policies import apply_policies

TURN_S = 60.0
"""After this long a worker lets other tasks have a turn and rings for itself."""


@shared_task
def refit_ratings() -> None:
    """Leaderboards with new votes, in every project. Costs one query for a project without."""
    for project in Project.objects.all():
        refit_stale_boards(project)


@shared_task(name="evaluation.tasks.apply_retrain_policies")
def apply_retrain_policies() -> None:
    """Every few minutes: start the training runs that policies ask for, scores among their reasons."""
    apply_policies(hpa_drop)


@shared_task(name=evaluations.TASK)
def evaluate() -> None:
    """Score checkpoints until none waits or it is another's turn."""
    started = time.monotonic()
    while (run := claim(EvaluationRun)) is not None:
        try:
            evaluations.work_on(run)
        except LeaseLost:
            continue
        if time.monotonic() - started > TURN_S:
            evaluations.ring_for_scores()
            return


@shared_task(name="evaluation.tasks.sweep")
def sweep() -> None:
    """Every few seconds: ring where a checkpoint waits to be scored or its worker was lost."""
    give_up_on_poison(EvaluationRun)
    if has_claimable(EvaluationRun):
        evaluations.ring_for_scores()


@shared_task(name="evaluation.tasks.score_new_checkpoints")
def score_new_checkpoints() -> None:
    """Every minute: checkpoints of a project that nobody has scored on its watched benchmark yet."""
    evaluations.ask_for_new_checkpoints()
    gates.open_due_gates()


@shared_task(name="evaluation.tasks.advance_gates")
def advance_gates() -> None:
    """Every few seconds: open gates as far as they go, and the doubts of decided ones to the queue."""
    for gate in Gate.objects.filter(status__in=OPEN_GATES):
        gates.advance(gate)
    for gate in Gate.objects.filter(status__in=DECIDED_GATES, returned_at=None):
        return_doubtful(gate)
