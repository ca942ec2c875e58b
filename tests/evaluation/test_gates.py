"""A new checkpoint is scored, meets the one in use in blind votes, and takes its place only when it wins."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.models import AuditEvent, AuditVerb, Comparison, Slot, SlotStatus
from annotation.services.second_looks import ask_again
from annotation.services.slots import open_slots
from engine.models import LayerStatus, Project
from engine.refusals import Refusal
from evaluation.models import EvaluationRun, Gate, GateStatus
from evaluation.selectors.gate_votes import tally
from evaluation.selectors.gates import evidence_of
from evaluation.services.benchmarks import freeze_composites
from evaluation.services.gate_returns import return_doubtful
from evaluation.services.gates import (
    advance,
    cancel_gate,
    decide,
    open_due_gates,
    open_gate,
    take_back,
    used_checkpoint,
)
from evaluation.tasks import advance_gates, score_new_checkpoints
from tests.annotation.judging import claim_one, judge
from tests.evaluation.gating import new_checkpoint, vote_for, work_off
from tests.factories import make_image, make_layer
from training.models import Checkpoint, JobStatus, Promotion
from training.selectors.checkpoints import current_checkpoint


@pytest.fixture
def checkpoint(project: Project) -> Checkpoint:
    freeze_composites(project=project, name="held-out", count=2, size_px=64)
    for number in range(4):
        make_layer(make_image(project, width=96, height=96), status=LayerStatus.ACCEPTED, label=f"ball {number}")
    return new_checkpoint(project)


@pytest.fixture
def voting(project: Project, checkpoint: Checkpoint) -> Gate:
    gate = open_gate(checkpoint=checkpoint, project=project, budget=40)
    EvaluationRun.objects.update(status=JobStatus.FINISHED, networks_digest="n" * 64)
    assert advance(gate)
    work_off()
    assert advance(gate)
    return gate


def test_a_gate_asks_for_scores_of_both_and_then_for_votes(project: Project, voting: Gate) -> None:
    assert voting.status == GateStatus.VOTING
    assert {run.status for run in EvaluationRun.objects.all()} == {JobStatus.FINISHED}
    waiting = Comparison.objects.filter(project=project, status=SlotStatus.OPEN)
    assert 0 < waiting.count() <= voting.budget
    for one in waiting:
        producers = {one.left.producer_id, one.right.producer_id}
        assert producers == {voting.checkpoint.producer_id, voting.rival.producer_id}
    assert not advance(voting), "nothing has changed"


def test_who_wins_the_votes_is_promoted_with_the_evidence(project: Project, checkpoint: Checkpoint) -> None:
    voting = open_gate(checkpoint=checkpoint, project=project, budget=40)
    work_off()
    advance(voting)
    work_off()
    advance(voting)
    for number in range(3):
        vote_for(project, voting.checkpoint, 4, f"voter {number}")
    assert advance(voting)
    assert voting.status == GateStatus.PROMOTED
    assert current_checkpoint(project) == voting.checkpoint
    promotion = Promotion.objects.get()
    assert (promotion, promotion.evidence["gate"]) == (voting.promotion, str(voting.pk))
    votes = voting.evidence["votes"]
    assert (votes["outcome"], votes["losses"], votes["needed"]) == ("better", 0, 0)
    assert {(row["board"], row["metric"]) for row in voting.evidence["scores"]} >= {("foreground", "soft_iou")}
    assert not Comparison.objects.filter(status=SlotStatus.OPEN).exists()
    assert not advance(voting)
    assert take_back(voting)
    assert used_checkpoint(project) == voting.rival
    assert not take_back(voting)


def test_who_loses_is_rejected_and_nothing_changes_for_the_project(project: Project, voting: Gate) -> None:
    for number in range(3):
        vote_for(project, voting.rival, 4, f"voter {number}")
    advance(voting)
    assert voting.status == GateStatus.REJECTED
    assert "won 0 %" in voting.verdict
    assert current_checkpoint(project) is None


def test_a_gate_whose_layers_are_all_voted_on_without_a_winner_is_held(project: Project, voting: Gate) -> None:
    for number in range(6):
        winner = voting.checkpoint if number % 2 else voting.rival
        vote_for(project, winner, 10, f"voter {number}")
        advance(voting)
    assert voting.status == GateStatus.HELD
    assert tally(voting).votes <= voting.budget


def test_a_person_may_decide_before_the_votes_do_and_only_once(project: Project, voting: Gate, alice: Any) -> None:
    assert decide(voting, GateStatus.PROMOTED, verdict="Good enough.", user=alice)
    assert not decide(voting, GateStatus.REJECTED, verdict="No.", user=alice)
    assert (voting.status, voting.decided_by) == (GateStatus.PROMOTED, alice)
    assert Promotion.objects.get().promoted_by == alice


def test_a_promotion_that_cannot_be_leaves_the_gate_open(project: Project, voting: Gate, alice: Any) -> None:
    other = new_checkpoint(project, "street-2")
    Promotion.objects.create(project=project, checkpoint=other)
    with pytest.raises(Refusal) as refused:
        decide(voting, GateStatus.PROMOTED, verdict="", user=alice)
    assert refused.value.code == "rival_changed"
    voting.refresh_from_db()
    assert voting.is_open


def test_a_checkpoint_that_cannot_be_scored_is_held_and_says_why(project: Project, checkpoint: Checkpoint) -> None:
    gate = open_gate(checkpoint=checkpoint, project=project)
    EvaluationRun.objects.filter(producer=checkpoint.producer_id).update(
        status=JobStatus.FAILED, reason="broken_checkpoint: no file"
    )
    advance(gate)
    assert (gate.status, "broken_checkpoint" in gate.verdict) == (GateStatus.HELD, True)


def test_one_gate_is_open_at_a_time_and_a_cancelled_one_makes_room(project: Project, checkpoint: Checkpoint) -> None:
    gate = open_gate(checkpoint=checkpoint, project=project)
    with pytest.raises(Refusal) as refused:
        open_gate(checkpoint=new_checkpoint(project, "street-2"), project=project)
    assert refused.value.code == "gate_open"
    assert cancel_gate(gate)
    assert not cancel_gate(gate)
    assert open_gate(checkpoint=checkpoint, project=project).is_open


def test_what_makes_no_gate_is_refused(project: Project, checkpoint: Checkpoint) -> None:
    for asked, budget, code in ((used_checkpoint(project), 9, "in_use"), (checkpoint, 0, "bad_budget")):
        with pytest.raises(Refusal) as refused:
            open_gate(checkpoint=asked, project=project, budget=budget)
        assert refused.value.code == code
    assert not Gate.objects.exists()


def test_new_checkpoints_are_pulled_and_taken_through_by_the_sweeps(project: Project, checkpoint: Checkpoint) -> None:
    score_new_checkpoints()
    score_new_checkpoints()
    [gate] = Gate.objects.all()
    assert EvaluationRun.objects.count() == 2
    assert open_due_gates() == []
    work_off()
    advance_gates()
    gate.refresh_from_db()
    assert gate.status == GateStatus.VOTING


def test_evidence_before_any_score_is_empty_and_says_so(project: Project, checkpoint: Checkpoint) -> None:
    gate = open_gate(checkpoint=checkpoint, project=project)
    found = evidence_of(gate)
    assert (found["scores"], found["votes"]["share"], found["votes"]["needed"]) == ([], None, None)


def test_what_the_winner_sees_differently_goes_back_to_the_queue_with_the_reason(
    project: Project, voting: Gate, alice: Any
) -> None:
    decide(voting, GateStatus.PROMOTED, verdict="", user=alice)
    count = return_doubtful(voting)
    assert return_doubtful(voting) == 0, "once"
    assert count == len(voting.returned) == AuditEvent.objects.filter(verb=AuditVerb.ASKED_AGAIN).count()
    for row in voting.returned:
        assert "another shape" in row["reason"]


def test_a_settled_layer_is_judged_once_more_and_its_verdicts_still_count(project: Project, bob: Any) -> None:
    layer = make_layer(make_image(project))
    open_slots(project)
    judge(bob, claim_one(bob, project))
    layer.refresh_from_db()
    assert layer.status == LayerStatus.ACCEPTED
    assert ask_again(layer_id=layer.pk, reason="it looks wrong")
    assert not ask_again(layer_id=layer.pk, reason="it looks wrong"), "it waits already"
    layer.refresh_from_db()
    assert layer.status == LayerStatus.READY
    assert sorted(Slot.objects.filter(layer=layer).values_list("status", flat=True)) == ["filled", "open"]
