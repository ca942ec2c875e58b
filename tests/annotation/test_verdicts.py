from typing import Any

import pytest

from annotation.models import ExtraReason, Slot, SlotStatus, Verdict
from annotation.services.claims import claim, release
from annotation.services.verdicts import record_verdict, undo
from engine.models import LayerStatus, Project
from engine.refusals import Refusal
from tests.annotation.judging import claim_one, end_lease, judge, make_annotators, make_layers, set_layer, status_of


@pytest.fixture
def people(project: Project) -> list[Any]:
    return make_annotators(project, "anna", "ben", "cora")


@pytest.mark.parametrize(("decision", "status"), [("accept", LayerStatus.ACCEPTED), ("reject", LayerStatus.REJECTED)])
def test_one_needed_judgement_settles_the_layer(
    project: Project, people: list[Any], decision: str, status: str
) -> None:
    [layer] = make_layers(project, 1)
    slot = claim_one(people[0], project)
    assert judge(people[0], slot, decision).is_counted
    assert (status_of(slot), status_of(layer)) == (SlotStatus.FILLED, status)


def test_a_verdict_keeps_what_the_person_said(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    defects = [{"kind": "halo", "x": 3.5, "y": 4.0}, {"kind": "hole", "x": None, "y": None}]
    judge(people[0], claim_one(people[0], project), "reject", defects=defects, note="soft hair", active_ms=1234)
    verdict = Verdict.objects.get()
    assert (verdict.defects, verdict.note, verdict.active_ms) == (defects, "soft hair", 1234)


def test_two_that_agree_settle_and_one_alone_does_not(project: Project, people: list[Any]) -> None:
    Project.objects.update(needed_judgements=2)
    [layer] = make_layers(project, 1)
    judge(people[0], claim_one(people[0], project))
    assert status_of(layer) == LayerStatus.READY
    judge(people[1], claim_one(people[1], project))
    assert status_of(layer) == LayerStatus.ACCEPTED


def test_a_conflict_opens_one_more_slot_which_decides(project: Project, people: list[Any]) -> None:
    Project.objects.update(needed_judgements=2)
    [layer] = make_layers(project, 1)
    for person, decision in zip(people, ["accept", "reject", "reject"], strict=True):
        assert status_of(layer) == LayerStatus.READY
        judge(person, claim_one(person, project), decision)
    assert status_of(layer) == LayerStatus.REJECTED
    assert list(Slot.objects.values_list("status", flat=True)) == [SlotStatus.FILLED] * 3


def test_the_same_client_id_again_is_the_same_verdict(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    slot = claim_one(people[0], project)
    said = {"user": people[0], "slot": slot, "decision": "accept", "client_id": "a", "active_ms": 5}
    first, is_new = record_verdict(**said)
    assert is_new
    assert record_verdict(**said) == (first, False)
    assert Verdict.objects.count() == 1


@pytest.mark.parametrize("other", [{"decision": "reject"}, {"note": "hm"}, {"defects": [{"kind": "halo"}]}])
def test_the_same_client_id_with_other_content_is_refused(
    project: Project, people: list[Any], other: dict[str, Any]
) -> None:
    make_layers(project, 1)
    slot = claim_one(people[0], project)
    judge(people[0], slot, client_id="a")
    with pytest.raises(Refusal) as refused:
        judge(people[0], slot, **{"decision": "accept", "client_id": "a", **other})
    assert (refused.value.code, refused.value.status) == ("client_id_reused", 409)


def test_two_people_may_use_the_same_client_id(project: Project, people: list[Any]) -> None:
    make_layers(project, 2)
    for person in people[:2]:
        judge(person, claim_one(person, project), client_id="a")
    assert Verdict.objects.filter(is_counted=True).count() == 2


def test_a_late_verdict_counts_while_nobody_else_took_the_slot(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    slot = claim_one(people[0], project)
    end_lease(slot)
    assert judge(people[0], slot).is_counted


def test_a_verdict_that_arrives_after_the_release_counts(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    slot = claim_one(people[0], project)
    release(user=people[0], slot_id=slot.pk)
    assert judge(people[0], slot).is_counted


@pytest.mark.parametrize("has_judged", [False, True])
def test_a_late_verdict_on_a_retaken_slot_is_kept_as_an_extra(
    project: Project, people: list[Any], has_judged: bool
) -> None:
    [layer] = make_layers(project, 1)
    slot = claim_one(people[0], project)
    end_lease(slot)
    retaken = claim_one(people[1], project)
    if has_judged:
        judge(people[1], retaken, "reject")
    before = status_of(slot), status_of(layer)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            judge(people[0], slot, "accept", client_id="late")
        assert (refused.value.code, refused.value.status) == ("lease_lost", 409)
    extra = Verdict.objects.get(client_id="late")
    assert (extra.is_counted, extra.extra_reason) == (False, ExtraReason.LEASE_LOST)
    assert (status_of(slot), status_of(layer)) == before


def test_a_verdict_on_a_layer_settled_meanwhile_is_kept_as_an_extra(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    slot = claim_one(people[0], project)
    set_layer(layer, LayerStatus.REJECTED)
    with pytest.raises(Refusal, match="needed no further judgement"):
        judge(people[0], slot)
    assert Verdict.objects.get().extra_reason == ExtraReason.LAYER_SETTLED
    assert (status_of(slot), status_of(layer)) == (SlotStatus.RETIRED, LayerStatus.REJECTED)


def test_nobody_counts_twice_on_one_layer(project: Project, people: list[Any]) -> None:
    Project.objects.update(needed_judgements=2)
    make_layers(project, 1)
    first = claim_one(people[0], project)
    judge(people[0], first)
    second = Slot.objects.get(status=SlotStatus.OPEN)
    with pytest.raises(Refusal) as refused:
        judge(people[0], second)
    assert refused.value.code == "lease_lost"
    assert status_of(second) == SlotStatus.OPEN


def test_unsure_does_not_count_and_leaves_the_layer_to_others(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    slot = claim_one(people[0], project)
    verdict = judge(people[0], slot, "unsure")
    assert (verdict.is_counted, verdict.extra_reason, status_of(layer)) == (False, "", LayerStatus.READY)
    assert claim(user=people[0], project=project) == []
    assert claim_one(people[1], project).pk == slot.pk


def test_undo_brings_slot_and_layer_back_to_the_person(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    verdict = judge(people[0], claim_one(people[0], project))
    slot = undo(user=people[0], verdict=verdict)
    verdict.refresh_from_db()
    assert (slot.status, slot.holder, status_of(layer)) == (SlotStatus.LEASED, people[0], LayerStatus.READY)
    assert verdict.undone_at is not None
    assert not verdict.is_counted


def test_after_undo_the_person_judges_again_and_both_verdicts_are_kept(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    slot = undo(user=people[0], verdict=judge(people[0], claim_one(people[0], project)))
    judge(people[0], slot, "reject")
    assert status_of(layer) == LayerStatus.REJECTED
    assert Verdict.objects.count() == 2


def test_undo_twice_is_undo_once(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    verdict = judge(people[0], claim_one(people[0], project))
    first = undo(user=people[0], verdict=verdict)
    dated = Verdict.objects.get().undone_at
    assert undo(user=people[0], verdict=verdict) == first
    assert Verdict.objects.get().undone_at == dated


def test_undo_of_one_side_of_a_conflict_takes_back_the_extra_slot(project: Project, people: list[Any]) -> None:
    Project.objects.update(needed_judgements=2)
    [layer] = make_layers(project, 1)
    judge(people[0], claim_one(people[0], project), "accept")
    slot = undo(user=people[1], verdict=judge(people[1], claim_one(people[1], project), "reject"))
    assert Slot.objects.get(status=SlotStatus.RETIRED).position == 3
    judge(people[1], slot, "accept")
    assert status_of(layer) == LayerStatus.ACCEPTED


def test_undo_of_unsure_takes_the_slot_back_while_it_is_free(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    verdict = judge(people[0], claim_one(people[0], project), "unsure")
    assert undo(user=people[0], verdict=verdict).holder == people[0]


def test_undo_of_unsure_is_refused_when_somebody_else_has_the_slot(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    verdict = judge(people[0], claim_one(people[0], project), "unsure")
    claim_one(people[1], project)
    with pytest.raises(Refusal) as refused:
        undo(user=people[0], verdict=verdict)
    verdict.refresh_from_db()
    assert (refused.value.code, verdict.undone_at) == ("slot_taken", None)


def test_an_extra_cannot_be_undone(project: Project, people: list[Any]) -> None:
    make_layers(project, 1)
    slot = claim_one(people[0], project)
    end_lease(slot)
    claim_one(people[1], project)
    with pytest.raises(Refusal, match="kept but does not count"):
        judge(people[0], slot)
    with pytest.raises(Refusal) as refused:
        undo(user=people[0], verdict=Verdict.objects.get())
    assert refused.value.code == "not_undoable"
