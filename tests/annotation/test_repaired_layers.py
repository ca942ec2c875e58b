"""A repaired layer comes back to the queue, for everybody but its author."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.models import Adjudication, Slot
from annotation.selectors.assignments import assignment_payloads
from annotation.selectors.reviewing import open_adjudications, rework_for
from annotation.services.claims import claim
from annotation.services.gold import make_gold
from annotation.services.people import set_policy
from annotation.services.rework import close_mended_reworks, return_to_author
from annotation.services.slots import open_slots
from annotation.services.verdicts import undo
from engine.models import Layer, Project
from engine.refusals import Refusal
from engine.services.layers import set_layer_status
from engine.services.repairs import open_repair, submit_repair
from frontend.selectors import waiting_layers
from tests.annotation.judging import claim_one, judge, make_annotators
from tests.engine.mending import KEEP, make_bitten_layer
from tests.factories import make_layer


@pytest.fixture
def layer(project: Project) -> Layer:
    return make_bitten_layer(project)


def repaired(user: Any, layer: Layer) -> Layer:
    return submit_repair(repair=open_repair(user=user, layer=layer)[0], client_id="one", data=KEEP)[0]


def test_its_author_is_never_asked_to_judge_it(project: Project, bob: Any, layer: Layer) -> None:
    [carol] = make_annotators(project, "carol")
    new = repaired(bob, layer)
    assert claim(user=bob, project=project, count=5) == []
    assert not waiting_layers(bob, project).exists()
    assert claim_one(carol, project).layer_id == new.pk


def test_the_old_version_is_served_no_more_although_its_slots_are_open(
    project: Project, bob: Any, layer: Layer
) -> None:
    [carol] = make_annotators(project, "carol")
    open_slots(project)
    new = repaired(bob, layer)
    assert Slot.objects.filter(layer=layer, status="open").exists()
    assert [slot.layer_id for slot in claim(user=carol, project=project, count=5)] == [new.pk]


def test_a_lease_of_the_old_version_does_not_come_back(project: Project, bob: Any, layer: Layer) -> None:
    [carol] = make_annotators(project, "carol")
    held = claim_one(carol, project)
    new = repaired(bob, layer)
    open_slots(project)
    [slot] = claim(user=carol, project=project, count=5)
    assert (slot.layer_id, held.layer_id) == (new.pk, layer.pk)


def test_the_stack_has_the_repair_in_the_place_of_the_old_layer(project: Project, bob: Any, layer: Layer) -> None:
    [carol] = make_annotators(project, "carol")
    behind = make_layer(layer.image, kind="background", label="background", depth=1, status="accepted")
    new = repaired(bob, layer)
    [assignment] = assignment_payloads([claim_one(carol, project)])
    assert [row["id"] for row in assignment["stack"]] == [str(new.pk), str(behind.pk)]


def test_mending_returned_work_closes_it(project: Project, bob: Any, alice: Any, layer: Layer) -> None:
    first = repaired(bob, layer)
    set_layer_status(first.pk, expected="ready", status="rejected")
    first.refresh_from_db()
    rework = return_to_author(layer=first, reviewer=alice, reason="A halo.")
    erase = {"strokes": [{"tool": "erase", "points": [[60, 20]], "width_px": 8}]}
    better = submit_repair(repair=open_repair(user=bob, layer=first)[0], client_id="two", data=erase)[0]
    assert list(rework_for(bob, project)) == []
    assert (close_mended_reworks(), close_mended_reworks()) == (1, 0)
    rework.refresh_from_db()
    assert rework.replaced_by == better


def test_a_verdict_on_a_layer_that_was_mended_stays(project: Project, bob: Any, layer: Layer) -> None:
    [carol] = make_annotators(project, "carol")
    verdict = judge(carol, claim_one(carol, project), "reject")
    layer.refresh_from_db()
    repaired(bob, layer)
    with pytest.raises(Refusal) as refused:
        undo(user=carol, verdict=verdict)
    assert refused.value.code == "not_undoable"
    assert not Slot.objects.filter(layer=layer, status__in=("open", "leased")).exists()


def test_gold_that_was_mended_tests_nobody_any_more(project: Project, bob: Any, layer: Layer) -> None:
    [carol] = make_annotators(project, "carol")
    make_gold(layer=layer, is_acceptable=False)
    set_policy(project=project, gold_first=100, gold_rate=0.0, mirror_rate=0.0)
    layer.refresh_from_db()
    new = repaired(bob, layer)
    assert [slot.layer_id for slot in claim(user=carol, project=project, count=5)] == [new.pk]
    with pytest.raises(Refusal) as refused:
        make_gold(layer=layer, is_acceptable=True)
    assert refused.value.code == "not_judged"


def test_a_dispute_about_a_layer_that_was_mended_waits_for_nobody(project: Project, bob: Any, layer: Layer) -> None:
    Adjudication.objects.create(project=project, layer=layer, reason="unsure")
    assert open_adjudications(project).exists()
    repaired(bob, layer)
    assert not open_adjudications(project).exists()
