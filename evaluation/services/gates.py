"""Gates, moved on step by step: scored, voted on, decided. Every status changes by compare-and-set."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.models import CLAIMABLE
from engine.models import Project
from engine.records import LayerKind
from engine.refusals import Refusal
from evaluation.duel import Duel, Outcome
from evaluation.models import DECIDED_GATES, OPEN_GATES, Benchmark, EvaluationRun, Gate, GateStatus
from evaluation.selectors.gate_votes import comparisons_of, tally
from evaluation.selectors.gates import evidence_of
from evaluation.services.evaluations import ask_evaluation
from evaluation.services.gate_votes import open_comparisons, retire_comparisons
from training import predictors
from training.models import Checkpoint, CheckpointLayers, JobStatus
from training.models.jobs import LIVE
from training.selectors.checkpoints import current_checkpoint
from training.services.checkpoint_layers import start_checkpoint_layers, unseen_images
from training.services.checkpoints import checkpoint_named
from training.services.promotions import promote_checkpoint, undo_promotion

BUDGET = 200
MOST_IMAGES = 60
"""Whose layers meet in the votes. Pictures that were voted about leave training, so no more than are needed."""
ENDED_BADLY = (JobStatus.FAILED, JobStatus.CANCELLED)


def used_checkpoint(project: Project) -> Checkpoint:
    """What the project uses: what was promoted last, else the shipped one."""
    return current_checkpoint(project) or checkpoint_named(predictors.DEFAULT)


def open_gate(
    *,
    checkpoint: Checkpoint,
    project: Project,
    benchmark: Benchmark | None = None,
    budget: int = BUDGET,
    confidence: float = 0.95,
    board: str = LayerKind.FOREGROUND.value,
    variant: str = "",
    user: Any = None,
) -> Gate:
    """Let a checkpoint try for the place of the one in use: both are asked for scores at once.

    Raises ``Refusal``: 400 ``bad_budget``; 409 ``no_benchmark``, ``in_use``, ``other_project``, ``gate_open`` and those
    of ``ask_evaluation``.
    """
    if not 1 <= budget <= 100_000 or not 0.5 <= confidence < 1:
        raise Refusal("bad_budget", "A gate has 1 to 100,000 votes and a confidence from 0.5 to below 1.")
    if checkpoint.project_id not in (None, project.pk):
        raise Refusal("other_project", f"{checkpoint} belongs to another project.", 409)
    benchmark = benchmark or Benchmark.objects.filter(project=project, is_watched=True).first()
    if benchmark is None:
        raise Refusal("no_benchmark", "The project has no benchmark to score checkpoints on.", 409)
    rival = used_checkpoint(project)
    if rival == checkpoint:
        raise Refusal("in_use", f"{project} uses {checkpoint} already.", 409)
    try:
        with transaction.atomic():
            runs = [
                ask_evaluation(
                    benchmark=benchmark, checkpoint=one.name, variant=variant, user=user, producer=one.producer
                )
                for one in (checkpoint, rival)
            ]
            return Gate.objects.create(
                project=project,
                checkpoint=checkpoint,
                rival=rival,
                benchmark=benchmark,
                board=board,
                budget=budget,
                confidence=confidence,
                run=runs[0],
                rival_run=runs[1],
                opened_by=user,
            )
    except IntegrityError as error:
        raise Refusal("gate_open", f"{project} has an open gate; decide that one first.", 409) from error


def advance(gate: Gate) -> bool:
    """Take an open gate as far as it goes now; whether anything changed. Callers may meet: each step is taken once."""
    gate.refresh_from_db()
    if gate.status == GateStatus.SCORING:
        return _after_scoring(gate)
    if gate.status == GateStatus.VOTING:
        return _after_votes(gate)
    return False


def decide(gate: Gate, status: str, *, verdict: str, user: Any = None) -> bool:
    """Promote, hold or reject, with the evidence as it stands; ``False`` when somebody else has decided before.

    Raises ``Refusal`` of ``promote_checkpoint``, and 409 ``rival_changed`` when the project uses something else by now.
    """
    if status not in DECIDED_GATES:
        raise ValueError(f"a gate is not decided by {status}")
    evidence = evidence_of(gate)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=gate.project_id)
        fields = {"verdict": verdict[:300], "evidence": evidence, "decided_by": user, "decided_at": timezone.now()}
        if not Gate.objects.filter(pk=gate.pk, status__in=OPEN_GATES).update(status=status, **fields):
            return False
        if status == GateStatus.PROMOTED:
            if used_checkpoint(gate.project) != gate.rival:
                raise Refusal("rival_changed", f"{gate.project} does not use {gate.rival} any more.", 409)
            proof = {"gate": str(gate.pk), **evidence}
            promotion = promote_checkpoint(gate.checkpoint, project=gate.project, user=user, evidence=proof)
            Gate.objects.filter(pk=gate.pk).update(promotion=promotion)
        retire_comparisons(gate)
    gate.refresh_from_db()
    return True


def cancel_gate(gate: Gate, user: Any = None) -> bool:
    """Stop without a decision; ``False`` when it was over."""
    with transaction.atomic():
        fields = {"decided_by": user, "decided_at": timezone.now(), "verdict": "Cancelled."}
        if not Gate.objects.filter(pk=gate.pk, status__in=OPEN_GATES).update(status=GateStatus.CANCELLED, **fields):
            return False
        retire_comparisons(gate)
    gate.refresh_from_db()
    return True


def take_back(gate: Gate) -> bool:
    """Undo the promotion that a gate made; ``False`` when another one stands by now."""
    return gate.promotion is not None and undo_promotion(gate.promotion)


def open_due_gates() -> list[Gate]:
    """For every project with a watched benchmark: its newest checkpoint that never met a gate, where none is open."""
    opened = []
    for benchmark in Benchmark.objects.filter(is_watched=True).select_related("project"):
        project = benchmark.project
        newest = Checkpoint.objects.filter(project=project).order_by("-created_at").first()
        if newest is None or Gate.objects.filter(project=project, status__in=OPEN_GATES).exists():
            continue
        if Gate.objects.filter(checkpoint=newest).exists() or newest == used_checkpoint(project):
            continue
        try:
            opened.append(open_gate(checkpoint=newest, project=project, benchmark=benchmark))
        except Refusal:
            # Its files are gone, or somebody opens one in this moment: the next sweep looks again.
            continue
    return opened


def _after_scoring(gate: Gate) -> bool:
    runs = [gate.run, gate.rival_run]
    if any(run is None or run.status in ENDED_BADLY for run in runs):
        stopped = next((run for run in runs if run is None or run.status in ENDED_BADLY), None)
        return decide(gate, GateStatus.HELD, verdict=f"It could not be scored: {_reason(stopped)}")
    if any(run is not None and run.status in LIVE for run in runs):
        return False
    making = CheckpointLayers.objects.filter(project=gate.project_id, status__in=LIVE)
    if making.filter(checkpoint__in=(gate.checkpoint_id, gate.rival_id)).exists():
        return False
    with transaction.atomic():
        images = _images(gate)
        jobs = [start_checkpoint_layers(one, gate.project, images) for one in (gate.checkpoint, gate.rival)]
        scoring = Gate.objects.filter(pk=gate.pk, status=GateStatus.SCORING)
        if not scoring.update(status=GateStatus.VOTING, layers=jobs[0], rival_layers=jobs[1]):
            transaction.set_rollback(True)
            return False
    gate.refresh_from_db()
    return True


def _after_votes(gate: Gate) -> bool:
    jobs = [gate.layers, gate.rival_layers]
    if any(job is not None and job.status in LIVE for job in jobs):
        return False
    duel = tally(gate)
    if duel.outcome is Outcome.BETTER:
        try:
            return decide(gate, GateStatus.PROMOTED, verdict=_won(duel))
        except Refusal as refusal:
            return decide(gate, GateStatus.HELD, verdict=f"{_won(duel)} But: {refusal}")
    if duel.outcome is Outcome.WORSE:
        return decide(gate, GateStatus.REJECTED, verdict=_won(duel))
    if duel.votes >= gate.budget:
        return decide(gate, GateStatus.HELD, verdict=f"The budget of {gate.budget} votes ended without a winner.")
    if open_comparisons(gate):
        return True
    if comparisons_of(gate).filter(status__in=CLAIMABLE).exists():
        return False
    why = " ".join(job.reason for job in jobs if job is not None and job.reason)
    verdict = f"No more layers of one thing by both to vote on, after {duel.votes} votes. {why}"
    return decide(gate, GateStatus.HELD, verdict=verdict.strip())


def _images(gate: Gate) -> list[uuid.UUID]:
    """Pictures that neither has learned from."""
    unseen = set(unseen_images(gate.rival, gate.project))
    return [pk for pk in unseen_images(gate.checkpoint, gate.project) if pk in unseen][:MOST_IMAGES]


def _won(duel: Duel) -> str:
    share = f"{100 * (duel.share or 0):.0f} % [{100 * duel.low:.0f}, {100 * duel.high:.0f}]"
    return f"Of {duel.wins + duel.losses} decided votes it won {share}."


def _reason(run: EvaluationRun | None) -> str:
    return "its evaluation was deleted" if run is None else run.reason or str(run.status)
