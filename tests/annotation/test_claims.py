import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Slot, SlotStatus
from annotation.services.claims import MOST_AT_ONCE, claim, heartbeat, release
from annotation.services.slots import open_slots
from engine.models import Project
from engine.refusals import Refusal
from tests.annotation.judging import claim_one, end_lease, judge, make_annotators, make_layers, status_of


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


@pytest.fixture
def ben(project: Project) -> Any:
    return make_annotators(project, "ben")[0]


def test_a_claim_on_an_empty_queue_pulls_the_layers_that_are_ready(project: Project, anna: Any) -> None:
    layers = make_layers(project, 2)
    assert {slot.layer_id for slot in claim(user=anna, project=project, count=5)} == {layer.pk for layer in layers}


def test_a_claim_leases_to_the_person_for_the_set_time(project: Project, anna: Any, settings: Any) -> None:
    settings.REVIEW_LEASE_S = 1000
    make_layers(project, 1)
    slot = claim_one(anna, project)
    assert (slot.status, slot.holder_id) == (SlotStatus.LEASED, anna.pk)
    assert timedelta(seconds=900) < slot.available_at - timezone.now() <= timedelta(seconds=1000)


def test_nothing_to_judge_is_an_empty_answer(project: Project, anna: Any) -> None:
    assert claim(user=anna, project=project) == []


def test_two_people_get_different_layers(project: Project, anna: Any, ben: Any) -> None:
    make_layers(project, 2)
    assert claim_one(anna, project).layer_id != claim_one(ben, project).layer_id


def test_a_leased_layer_is_not_served_to_somebody_else(project: Project, anna: Any, ben: Any) -> None:
    make_layers(project, 1)
    claim_one(anna, project)
    assert claim(user=ben, project=project) == []


def test_own_live_leases_come_back_first_and_count(project: Project, anna: Any) -> None:
    make_layers(project, 4)
    held = {slot.pk for slot in claim(user=anna, project=project, count=2)}
    again = {slot.pk for slot in claim(user=anna, project=project, count=3)}
    assert held < again
    assert {slot.pk for slot in claim(user=anna, project=project, count=3)} == again


def test_a_claim_prolongs_the_leases_it_returns(project: Project, anna: Any, settings: Any) -> None:
    make_layers(project, 1)
    first = claim_one(anna, project)
    settings.REVIEW_LEASE_S += 60
    assert claim_one(anna, project).available_at > first.available_at


def test_no_more_than_the_most_at_once_are_held(project: Project, anna: Any) -> None:
    make_layers(project, MOST_AT_ONCE + 2)
    assert len(claim(user=anna, project=project, count=100)) == MOST_AT_ONCE
    assert len(claim(user=anna, project=project, count=100)) == MOST_AT_ONCE
    assert Slot.objects.filter(holder=anna).count() == MOST_AT_ONCE


def test_a_layer_that_needs_two_judgements_is_served_once_per_person(project: Project, anna: Any, ben: Any) -> None:
    Project.objects.update(needed_judgements=2)
    make_layers(project, 3)
    for person in (anna, ben):
        served = [slot.layer_id for slot in claim(user=person, project=project, count=10)]
        assert len(served) == len(set(served)) == 3


def test_a_judged_layer_never_comes_back_to_the_same_person(project: Project, anna: Any, ben: Any) -> None:
    Project.objects.update(needed_judgements=2)
    make_layers(project, 1)
    judge(anna, claim_one(anna, project))
    assert claim(user=anna, project=project) == []
    assert claim_one(ben, project).position == 2


def test_a_lease_that_ended_goes_to_the_next_who_asks(project: Project, anna: Any, ben: Any) -> None:
    make_layers(project, 1)
    slot = claim_one(anna, project)
    end_lease(slot)
    assert claim_one(ben, project).pk == slot.pk


def test_higher_priority_is_served_first(project: Project, anna: Any) -> None:
    layers = make_layers(project, 6)
    open_slots(project)
    Slot.objects.filter(layer=layers[4]).update(priority=5)
    Slot.objects.filter(layer=layers[1]).update(priority=-5)
    order = [slot.layer_id for slot in claim(user=anna, project=project, count=6)]
    assert (order[0], order[-1]) == (layers[4].pk, layers[1].pk)


def test_release_puts_the_slot_back_for_others(project: Project, anna: Any, ben: Any) -> None:
    make_layers(project, 1)
    slot = claim_one(anna, project)
    assert release(user=anna, slot_id=slot.pk)
    assert claim_one(ben, project).pk == slot.pk


def test_release_of_what_one_does_not_hold_changes_nothing(project: Project, anna: Any, ben: Any) -> None:
    make_layers(project, 1)
    slot = claim_one(anna, project)
    assert not release(user=ben, slot_id=slot.pk)
    assert status_of(slot) == SlotStatus.LEASED


def test_heartbeat_prolongs(project: Project, anna: Any, settings: Any) -> None:
    make_layers(project, 1)
    slot = claim_one(anna, project)
    settings.REVIEW_LEASE_S += 60
    assert heartbeat(user=anna, slot_id=slot.pk) > slot.available_at


def test_heartbeat_revives_a_lease_that_ended_and_was_not_taken(project: Project, anna: Any, ben: Any) -> None:
    make_layers(project, 1)
    slot = claim_one(anna, project)
    end_lease(slot)
    heartbeat(user=anna, slot_id=slot.pk)
    assert claim(user=ben, project=project) == []


@pytest.mark.parametrize("slot_id", [None, uuid.uuid4()], ids=["taken by somebody else", "unknown"])
def test_heartbeat_without_a_lease_is_refused(project: Project, anna: Any, ben: Any, slot_id: uuid.UUID | None) -> None:
    make_layers(project, 1)
    slot = claim_one(anna, project)
    with pytest.raises(Refusal) as refused:
        heartbeat(user=ben, slot_id=slot_id or slot.pk)
    assert (refused.value.code, refused.value.status) == ("lease_lost", 409)
