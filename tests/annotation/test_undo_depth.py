"""The last 50 decisions can be taken back, item by item and also across items; nothing of it is forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.models import AuditEvent, AuditVerb, Slot, SlotPurpose, SlotStatus, Verdict
from annotation.selectors.quality import own_feedback
from annotation.services.claims import release
from annotation.services.gold import make_gold
from annotation.services.people import set_policy
from annotation.services.verdicts import UNDO_DEPTH, undo
from engine.models import LayerStatus, Project
from engine.refusals import Refusal
from tests.annotation.judging import bulk_layers, claim_one, judge, make_annotators, make_layers, status_of

WORDS = ("accept", "reject", "unsure", "accept", "broken")


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


def judge_many(project: Project, anna: Any, count: int) -> list[Verdict]:
    bulk_layers(project, count)
    return [judge(anna, claim_one(anna, project), WORDS[number % len(WORDS)]) for number in range(count)]


def test_fifty_decisions_are_taken_back_and_decided_anew(project: Project, anna: Any) -> None:
    said = judge_many(project, anna, UNDO_DEPTH)
    slots = [undo(user=anna, verdict=verdict) for verdict in reversed(said)]
    assert [slot.layer_id for slot in slots] == [verdict.layer_id for verdict in reversed(said)]
    assert set(project.layers.values_list("status", flat=True)) == {LayerStatus.READY}
    assert Slot.objects.filter(holder=anna, status=SlotStatus.LEASED).count() == UNDO_DEPTH
    for slot in slots:
        judge(anna, slot, "reject")
    assert set(project.layers.values_list("status", flat=True)) == {LayerStatus.REJECTED}
    assert Verdict.objects.filter(is_counted=True).count() == UNDO_DEPTH


def test_each_verdict_that_was_superseded_stays_as_history_and_the_act_is_in_the_log(
    project: Project, anna: Any
) -> None:
    said = judge_many(project, anna, len(WORDS))
    for verdict in reversed(said):
        judge(anna, undo(user=anna, verdict=verdict), "accept")
    for verdict in said:
        old, new = Verdict.objects.filter(layer=verdict.layer_id).order_by("created_at")
        assert (old.pk, old.decision) == (verdict.pk, verdict.decision)
        assert old.undone_at is not None
        assert (new.decision, new.is_counted, new.undone_at) == ("accept", True, None)
        event = AuditEvent.objects.get(layer=verdict.layer_id, verb=AuditVerb.VERDICT_UNDONE)
        assert (event.actor, event.facts) == (anna, {"verdict": str(old.pk), "decision": old.decision})


def test_a_decision_in_the_middle_is_taken_back_alone(project: Project, anna: Any) -> None:
    said = judge_many(project, anna, 5)
    undo(user=anna, verdict=said[1])
    assert list(Verdict.objects.filter(undone_at=None).order_by("created_at")) == [said[0], *said[2:]]
    assert status_of(said[1].layer) == LayerStatus.READY


def test_what_lies_further_back_stays_until_newer_ones_are_taken_back(project: Project, anna: Any) -> None:
    first, second, *_ = said = judge_many(project, anna, UNDO_DEPTH + 1)
    with pytest.raises(Refusal) as refused:
        undo(user=anna, verdict=first)
    assert (refused.value.code, refused.value.status) == ("too_old", 409)
    assert status_of(first.layer) == LayerStatus.ACCEPTED
    undo(user=anna, verdict=second)
    release(user=anna, slot_id=undo(user=anna, verdict=said[-1]).pk)
    assert undo(user=anna, verdict=first).layer_id == first.layer_id


def test_a_failed_test_is_not_mended_by_taking_its_answers_back(project: Project, anna: Any) -> None:
    for layer in make_layers(project, 3):
        make_gold(layer=layer, is_acceptable=True)
    set_policy(project=project, qualification_items=2, qualification_accuracy=1.0)
    slip = judge(anna, claim_one(anna, project), "reject")
    corrected = judge(anna, undo(user=anna, verdict=slip), "reject")
    judge(anna, claim_one(anna, project), "accept")
    with pytest.raises(Refusal) as refused:
        undo(user=anna, verdict=corrected)
    assert refused.value.code == "not_undoable"


def test_feedback_on_gold_does_not_change_when_answers_are_taken_back(project: Project, anna: Any) -> None:
    for layer in make_layers(project, 5):
        make_gold(layer=layer, is_acceptable=True)
    make_layers(project, 5)
    set_policy(project=project, gold_first=100, gold_rate=0.0, mirror_rate=0.0, mirror_gap=0)
    said = [judge(anna, claim_one(anna, project), "accept" if number else "reject") for number in range(5)]
    assert {verdict.slot.purpose for verdict in said} == {SlotPurpose.GOLD}
    told = own_feedback(anna, project)
    assert told == {"answers": 5, "right": 4}
    judge(anna, undo(user=anna, verdict=said[0]), "accept")
    assert own_feedback(anna, project) == told
