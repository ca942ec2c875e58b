from typing import Any

import pytest

from annotation.models import AuditEvent, AuditVerb, Slot, SlotStatus
from annotation.services.needs import change_needed_judgements, fit_slots
from annotation.services.slots import open_slots
from engine.models import Layer, LayerStatus, Project
from engine.refusals import Refusal
from tests.annotation.judging import claim_one, judge, make_annotators, make_layers, status_of


@pytest.fixture
def people(project: Project) -> list[Any]:
    return make_annotators(project, "anna", "ben", "cleo")


def live(layer: Layer) -> int:
    return Slot.objects.filter(layer=layer).exclude(status=SlotStatus.RETIRED).count()


def need(project: Project, needed: int) -> None:
    change_needed_judgements(project=project, needed=needed)


def test_a_raised_need_opens_slots_at_once(project: Project) -> None:
    layers = make_layers(project, 3)
    open_slots(project)
    need(project, 3)
    assert [live(layer) for layer in layers] == [3, 3, 3]


def test_a_lowered_need_retires_the_surplus_at_once(project: Project) -> None:
    layers = make_layers(project, 3)
    need(project, 4)
    need(project, 2)
    assert [live(layer) for layer in layers] == [2, 2, 2]


def test_raising_again_opens_the_retired_slots_and_makes_no_others(project: Project) -> None:
    [layer] = make_layers(project, 1)
    for needed in (3, 1, 3):
        need(project, needed)
    assert (live(layer), Slot.objects.filter(layer=layer).count()) == (3, 3)


def test_a_lowered_need_settles_what_has_enough_judgements(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    need(project, 3)
    judge(people[0], claim_one(people[0], project), "reject")
    need(project, 1)
    assert status_of(layer) == LayerStatus.REJECTED
    assert AuditEvent.objects.get(verb=AuditVerb.LAYER_SETTLED).layer_id == layer.pk


def test_a_lowered_need_leaves_an_even_split_open_for_one_more(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    need(project, 4)
    for person, decision in zip(people, ("accept", "reject"), strict=False):
        judge(person, claim_one(person, project), decision)
    need(project, 2)
    assert (status_of(layer), live(layer)) == (LayerStatus.READY, 3)
    judge(people[2], claim_one(people[2], project), "accept")
    assert status_of(layer) == LayerStatus.ACCEPTED


def test_a_lowered_need_takes_nobody_their_layer(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    need(project, 3)
    held = [claim_one(person, project) for person in people]
    need(project, 1)
    assert [status_of(slot) for slot in held] == [SlotStatus.LEASED] * 3
    assert judge(people[1], held[1]).is_counted
    assert status_of(layer) == LayerStatus.ACCEPTED


def test_settled_layers_stay_settled_when_the_need_is_raised(project: Project, people: list[Any]) -> None:
    [layer] = make_layers(project, 1)
    judge(people[0], claim_one(people[0], project))
    need(project, 3)
    assert (status_of(layer), live(layer)) == (LayerStatus.ACCEPTED, 1)


def test_a_change_is_audited_with_both_values(project: Project, alice: Any) -> None:
    change_needed_judgements(project=project, needed=2, actor=alice)
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_id, event.facts) == ("needed_changed", alice.pk, {"before": 1, "after": 2})


@pytest.mark.parametrize("needed", [0, 10])
def test_a_need_outside_1_to_9_is_refused(project: Project, needed: int) -> None:
    with pytest.raises(Refusal):
        need(project, needed)
    assert Project.objects.get(pk=project.pk).needed_judgements == 1


def test_fitting_again_changes_nothing(project: Project) -> None:
    make_layers(project, 3)
    need(project, 2)
    before = list(Slot.objects.order_by("pk").values())
    fit_slots(Project.objects.get(pk=project.pk))
    assert list(Slot.objects.order_by("pk").values()) == before
