"""The closed loop on composites: each step by the services that everybody uses, each one resumable."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from annotation.selectors.truth import Truth
from annotation.services.simulated_mending import mend_rejected
from annotation.services.simulation import simulate
from annotation.services.slots import open_slots
from annotation.simulated import Simulated, crowd
from engine.composites.generator import to_scene
from engine.composites.held_out import name_of, seen_composite
from engine.imaging import encode_png
from engine.models import OUT_OF_SIGHT, Layer, LayerStatus, Project
from engine.refusals import Refusal
from engine.services.images import import_image
from engine.services.leases import register_worker
from engine.services.projects import change_project, project_named
from engine.services.runs import finish_runs, start_run
from engine.services.work import BATCH, batches
from evaluation.loop_terms import STEPS, LoopTerms
from evaluation.models import OPEN_GATES, Benchmark, EvaluationRun, Gate, GateStatus, LoopRound
from evaluation.services import evaluations, gates
from evaluation.services.benchmarks import freeze_composites
from evaluation.services.calibrations import calibrate_board
from evaluation.services.gate_returns import return_doubtful
from evaluation.services.layer_scores import score_voted_layers
from evaluation.services.ratings import refit_stale_boards
from evaluation.services.simulated_votes import simulate_votes
from training.models import Checkpoint, CheckpointLayers, JobStatus, Promotion, RunTrigger, TrainingRun
from training.models.jobs import LIVE
from training.selectors.checkpoints import current_checkpoint
from training.services import checkpoint_layers, training_work
from training.services.checkpoints import register_checkpoint
from training.services.leases import J, LeaseLost, claim, give_up_on_poison
from training.services.promotions import promote_checkpoint
from training.services.training_runs import freeze_for_training, resume_training_run, start_training_run

BENCHMARK = "held-out composites"
PATIENCE_S = 1.0
Tell = Callable[[str], None]


def begin(name: str, terms: LoopTerms) -> Project:
    """The loop's project with its benchmark and an untrained checkpoint in use; the same again when it is there.

    Raises ``Refusal``.
    """
    project = project_named(name)
    if project.needed_judgements != terms.judgements:
        project = change_project(project=project, needed_judgements=terms.judgements)
    if not Benchmark.objects.filter(project=project, name=BENCHMARK).exists():
        freeze_composites(project=project, name=BENCHMARK, count=terms.benchmark)
    if current_checkpoint(project) is None:
        promote_checkpoint(_untrained(project, terms), project=project, evidence={"loop": "untrained"})
    return project


def next_round(project: Project, terms: LoopTerms) -> LoopRound:
    """The one that is under way, with its own terms, or a new one."""
    last = LoopRound.objects.filter(project=project).order_by("-number").first()
    if last is not None and last.finished_at is None:
        return last
    number = 1 if last is None else last.number + 1
    return LoopRound.objects.create(project=project, number=number, terms=terms.to_json())


def work_on(round_: LoopRound, tell: Tell = lambda line: None, until: str = "") -> None:
    """Take a round to its end from where it stands, or to the step ``until``, which is not done.

    Raises ``Refusal`` where a step cannot be done.
    """
    terms = LoopTerms.from_json(round_.terms)
    while round_.step not in ("", until):
        name = round_.step
        tell(f"{round_}: {name}")
        started = time.monotonic()
        facts = STEP[name](round_, terms)
        round_.facts = {**round_.facts, **facts}
        round_.seconds = {**round_.seconds, name: round(time.monotonic() - started, 1)}
        round_.steps_done += 1
        if round_.steps_done == len(STEPS):
            round_.finished_at = timezone.now()
        round_.save()


def _untrained(project: Project, terms: LoopTerms) -> Checkpoint:
    import torch

    from training.reflayer.tiny.checkpoint import load_network
    from training.reflayer.tiny.mask_network import MaskNetwork, with_trunk
    from training.reflayer.tiny.pipeline import SHIPPED, RefLayerTinyPipeline

    name = f"{project.slug}-0"
    folder = Path(settings.TRAINING_FOLDER) / name
    torch.manual_seed(terms.seed)
    # What is not trained is taken over; what is has seen nothing yet.
    RefLayerTinyPipeline(with_trunk(MaskNetwork(), load_network(SHIPPED).trunk)).save_pretrained(folder)
    return register_checkpoint(
        folder=folder, name=name, project=project, parent=None, snapshot=None, recipe="tiny_cpu", metrics={}
    )


def _engine(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    return {"pictures": _layers_by_engine(round_, terms, is_for_votes=False)}


def _vote_pictures(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    count = _layers_by_engine(round_, terms, is_for_votes=True)
    _judge(round_.project, terms)
    return {"vote_pictures": count}


def _layers_by_engine(round_: LoopRound, terms: LoopTerms, is_for_votes: bool) -> int:
    """Import composites with the boxes of what is seen of each object, and have the engine make their layers."""
    project, images = round_.project, []
    for seed in terms.seeds(round_.number, is_for_votes):
        made = seen_composite(seed, terms.size_px)
        imported = import_image(
            project=project,
            data=encode_png(made.source_hwc),
            name=name_of(seed, terms.size_px),
            given=to_scene(made, "visible_box").given,
        )
        images.append(imported.image.pk)
    start_run(project=project, recipe_name="cpu", images=images)
    for queue in BATCH:
        for _ in batches(register_worker(queue), queue):
            pass
    finish_runs()
    return len(images)


def _judging(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    """Judged, mended where rejected, and the mended judged by others. Acceptance is that of the engine's own layers."""
    project = round_.project
    decisions = _judge(project, terms)
    layers = Layer.objects.filter(project=project, author=None)
    accepted = layers.filter(status=LayerStatus.ACCEPTED).count()
    judged = accepted + layers.filter(status__in=(LayerStatus.REJECTED, LayerStatus.SUPERSEDED)).count()
    mended = 0
    if not terms.accepted_by_lot:
        since = round_.created_at
        before = Layer.objects.filter(project=project, author__isnull=False, created_at__gte=since).count()
        mended = before + mend_rejected(project, _people(terms), terms.mends - before, since)
        decisions += _judge(project, terms)
    return {"decisions": decisions, "accepted": accepted, "judged": judged, "mended": mended}


def _people(terms: LoopTerms) -> list[Simulated]:
    return crowd(terms.annotators, terms.seed, terms.error_rate)


def _judge(project: Project, terms: LoopTerms) -> int:
    """Until the queue is empty; how many verdicts."""
    open_slots(project)
    truth: Callable[[uuid.UUID], bool] = Truth(project, terms.seed)
    people = _people(terms)
    if terms.accepted_by_lot:
        ready = Layer.objects.filter(project=project).exclude(status__in=OUT_OF_SIGHT).order_by("sha256", "pk")
        lot = Random(terms.seed).sample(
            list(ready.values_list("pk", flat=True)), min(terms.accepted_by_lot, len(ready))
        )
        truth, people = set(lot).__contains__, crowd(terms.annotators, terms.seed, 0.0)
    return sum(1 for _ in simulate(project, people, truth, None))


def _freezing(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    if round_.snapshot is None:
        round_.snapshot = freeze_for_training(round_.project)
        round_.save()
    return {"layers": round_.snapshot.rows}


def planned_run(round_: LoopRound, terms: LoopTerms) -> TrainingRun:
    """Every round learns anew from all layers so far, and as long from each of them.

    So what a gate decided about the last checkpoint changes nothing of what this one may learn, and no round begins by
    unlearning at a rate that was meant for fresh weights.
    """
    snapshot = round_.snapshot
    assert snapshot is not None
    first = LoopRound.objects.get(project=round_.project, number=1).snapshot or snapshot
    steps = max(1, round(terms.steps * snapshot.rows / first.rows))
    numbers = {"steps": steps, "batch": terms.batch, "rate": terms.rate, "seed": terms.seed}
    begun_with = Promotion.objects.filter(project=round_.project).earliest("created_at").checkpoint
    return start_training_run(
        snapshot=snapshot,
        parent=begun_with,
        params={**numbers, "validation_samples": 4, "sample_every": steps},
        weights={"validated": 1.0, "automatic": 0.0, "composite": 0.0},
        trigger=RunTrigger.LOOP,
        is_queued=False,
    )


def _training(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    assert round_.snapshot is not None
    run = round_.training_run
    if run is None:
        run = round_.training_run = planned_run(round_, terms)
        round_.save()
    if run.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        resume_training_run(run, is_queued=False)
    _finish(TrainingRun.objects.filter(pk=run.pk), training_work.work_on)
    run.refresh_from_db()
    if run.status != JobStatus.FINISHED or run.checkpoint is None:
        raise Refusal("training_failed", f"{run}: {run.reason or run.status}")
    return {"checkpoint": run.checkpoint.name, "steps": run.steps}


def _scoring(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    assert round_.training_run is not None
    assert round_.training_run.checkpoint is not None
    _make_layers(round_.project)
    if round_.gate is None:
        round_.gate = gate_of(round_.training_run.checkpoint, round_.project, terms.votes)
        evaluations.ask_evaluation(benchmark=round_.gate.benchmark, checkpoint="cpu")
        round_.save()
    _finish(EvaluationRun.objects.filter(benchmark=round_.gate.benchmark), evaluations.work_on)
    gates.advance(round_.gate)
    _make_layers(round_.project)
    return {}


def gate_of(checkpoint: Checkpoint, project: Project, votes: int) -> Gate:
    """A new one of so many votes, or the one that a worker beside the loop has opened for the checkpoint meanwhile."""
    opened = Gate.objects.filter(project=project, checkpoint=checkpoint, status__in=OPEN_GATES).first()
    benchmark = Benchmark.objects.get(project=project, name=BENCHMARK)
    return opened or gates.open_gate(checkpoint=checkpoint, project=project, benchmark=benchmark, budget=votes)


def _voting(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    gate: Gate | None = round_.gate
    assert gate is not None
    people = crowd(terms.voters, terms.seed + 1, terms.error_rate)
    gates.advance(gate)
    for number, _ in enumerate(simulate_votes(round_.project, people, 2 * terms.votes), 1):
        # Looked at often: the votes stop when the interval decides.
        if number % terms.voters == 0 and gates.advance(gate) and not gate.is_open:
            break
    if gate.is_open and not gates.advance(gate):
        gates.decide(gate, GateStatus.HELD, verdict="Nobody is left to vote.")
    returned = return_doubtful(gate)
    refit_stale_boards(round_.project)
    return {"gate": gate.status, "verdict": gate.verdict, "returned": returned}


def _calibrating(round_: LoopRound, terms: LoopTerms) -> dict[str, Any]:
    benchmark = Benchmark.objects.get(project=round_.project, name=BENCHMARK)
    assert round_.gate is not None
    score_voted_layers(benchmark, round_.gate.board)
    try:
        made = calibrate_board(project=round_.project, benchmark=benchmark, board=round_.gate.board)
    except Refusal as refusal:
        return {"calibration": f"{refusal.code}: {refusal}"}
    return {"calibration": f"v{made.version}, {made.producers} producers"}


def _make_layers(project: Project) -> None:
    _finish(CheckpointLayers.objects.filter(project=project), checkpoint_layers.work_on)


def _finish(jobs: QuerySet[J], work: Callable[[J], None]) -> None:
    """Until none of them is live. Those that a worker holds, or held when it died, are waited for."""
    while (job := jobs.filter(status__in=LIVE).order_by("created_at").first()) is not None:
        ours = claim(type(job), job.pk)
        if ours is None:
            give_up_on_poison(type(job))
            time.sleep(PATIENCE_S)
            continue
        with suppress(LeaseLost):
            work(ours)


STEP: dict[str, Callable[[LoopRound, LoopTerms], dict[str, Any]]] = {
    "engine": _engine,
    "judging": _judging,
    "freezing": _freezing,
    "training": _training,
    "vote_pictures": _vote_pictures,
    "scoring": _scoring,
    "voting": _voting,
    "calibrating": _calibrating,
}
