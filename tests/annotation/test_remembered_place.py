"""A claim does not walk past all that the person has judged, and still nothing urgent or forgotten is passed by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from annotation.models import Assignee, Slot
from annotation.sampling import Priority
from annotation.services.claims import release
from annotation.services.slots import open_slots
from engine.models import Project
from tests.annotation.judging import bulk_layers, claim_one, judge, make_annotators

KEYS = (0.1, 0.2, 0.3, 0.4)


@pytest.fixture
def people(project: Project) -> tuple[Any, Any]:
    """Anna, whose walk found 0.2 first while Ben held 0.1; Ben has given it back since."""
    layers = bulk_layers(project, len(KEYS))
    open_slots(project)
    for layer, key in zip(layers, KEYS, strict=True):
        Slot.objects.filter(layer=layer).update(random_key=key, priority=Priority.PLAIN)
    anna, ben = make_annotators(project, "anna", "ben")
    held = claim_one(ben, project)
    assert judged(project, anna) == 0.2
    release(user=ben, slot_id=held.pk)
    return anna, ben


def judged(project: Project, person: Any) -> float:
    """The key of the next layer, which is judged."""
    slot = claim_one(person, project)
    judge(person, slot)
    return slot.random_key


def test_the_walk_goes_on_where_it_found_something_and_looks_back_before_the_queue_is_empty(
    project: Project, people: tuple[Any, Any]
) -> None:
    assert [judged(project, people[0]) for _ in range(3)] == [0.3, 0.4, 0.1]


def test_somebody_else_starts_at_the_head(project: Project, people: tuple[Any, Any]) -> None:
    assert judged(project, people[1]) == 0.1


def test_after_some_minutes_the_walk_starts_at_the_head_again(project: Project, people: tuple[Any, Any]) -> None:
    Assignee.objects.update(passed_at=F("passed_at") - timedelta(minutes=6))
    assert judged(project, people[0]) == 0.1


@pytest.mark.parametrize("priority", [Priority.UNSURE, Priority.RETURNED])
def test_urgent_work_is_never_passed_by(project: Project, people: tuple[Any, Any], priority: int) -> None:
    Slot.objects.filter(random_key=0.1).update(priority=priority)
    assert judged(project, people[0]) == 0.1
