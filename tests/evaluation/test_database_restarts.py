"""The database restarts while a checkpoint is scored or a gate moves on: each step is taken once, and none is lost."""

from __future__ import annotations

import pytest
from django.utils import timezone

from annotation.models import AuditEvent, AuditVerb
from engine.models import LayerStatus, Project
from evaluation.models import Answer, EvaluationRun, Gate, GateStatus, MetricScore
from evaluation.services.benchmarks import freeze_composites
from evaluation.services.gate_returns import return_doubtful
from evaluation.services.gates import advance, open_gate
from evaluation.tasks import evaluate
from tests.evaluation.gating import new_checkpoint, vote_for, work_off
from tests.factories import make_image, make_layer
from tests.restarts import database_restarts_at
from training.models import CheckpointLayers, JobStatus, Promotion


@pytest.fixture
def gate(transactional_db: None, project: Project) -> Gate:
    freeze_composites(project=project, name="held-out", count=2, size_px=64)
    for number in range(4):
        make_layer(make_image(project, width=96, height=96), status=LayerStatus.ACCEPTED, label=f"ball {number}")
    return open_gate(checkpoint=new_checkpoint(project), project=project, budget=40)


def is_scored(gate: Gate) -> None:
    EvaluationRun.objects.update(status=JobStatus.FINISHED, networks_digest="n" * 64)


def is_voting(gate: Gate) -> None:
    is_scored(gate)
    advance(gate)
    work_off()
    advance(gate)


@pytest.mark.parametrize(
    "spot", ["evaluation.services.evaluations.store", "evaluation.services.evaluations.store_scores"]
)
def test_scoring_goes_on_and_every_answer_counts_once(gate: Gate, spot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with database_restarts_at(monkeypatch, spot, call=2):
        evaluate()
    EvaluationRun.objects.filter(status=JobStatus.RUNNING).update(lease_expires_at=timezone.now())
    evaluate()
    for run in (gate.run, gate.rival_run):
        run.refresh_from_db()
        assert (run.status, run.reason) == (JobStatus.FINISHED, "")
        assert Answer.objects.filter(run=run).count() == gate.benchmark.items.count()
        hpa = MetricScore.objects.filter(run=run, board="foreground", metric="hpa", slice="", layer=None)
        assert hpa.count() == 1


def test_votes_are_opened_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    is_scored(gate)
    with database_restarts_at(monkeypatch, "evaluation.services.gates.start_checkpoint_layers", call=2):
        advance(gate)
    assert not CheckpointLayers.objects.exists()
    assert advance(gate)
    assert gate.status == GateStatus.VOTING
    assert CheckpointLayers.objects.count() == 2


def test_the_winner_is_promoted_once(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    is_voting(gate)
    for number in range(3):
        vote_for(gate.project, gate.checkpoint, 4, f"voter {number}")
    for spot in ("promote_checkpoint", "retire_comparisons"):
        with database_restarts_at(monkeypatch, f"evaluation.services.gates.{spot}"):
            advance(gate)
        gate.refresh_from_db()
        assert (gate.status, Promotion.objects.count()) == (GateStatus.VOTING, 0)
    assert advance(gate)
    assert (gate.status, Promotion.objects.get()) == (GateStatus.PROMOTED, gate.promotion)


def test_doubts_come_back_all_or_none(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    is_voting(gate)
    Gate.objects.filter(pk=gate.pk).update(status=GateStatus.HELD, decided_at=timezone.now())
    gate.refresh_from_db()
    asked = AuditEvent.objects.filter(verb=AuditVerb.ASKED_AGAIN)
    with database_restarts_at(monkeypatch, "evaluation.services.gate_returns.ask_again", call=2):
        return_doubtful(gate)
    assert not asked.exists()
    assert return_doubtful(gate) == asked.count() > 1
