"""Layers that people cannot settle: unsure, broken or in dispute, then a reviewer's word."""

from typing import Any

import pytest

from annotation.models import Adjudication, AuditEvent, AuditVerb, Decision, Slot, SlotStatus, Verdict
from annotation.sampling import Priority
from annotation.services.adjudications import decide
from annotation.services.claims import claim
from annotation.services.needs import change_needed_judgements, fit_slots
from annotation.services.people import set_policy
from annotation.services.slots import open_slots
from annotation.services.verdicts import undo
from engine.models import Layer, LayerStatus, Project, Role
from engine.refusals import Refusal
from tests.annotation.judging import claim_one, judge, make_annotators, make_layers, status_of
from tests.conftest import client_of
from tests.factories import join, make_user


@pytest.fixture
def people(project: Project) -> list[Any]:
    return make_annotators(project, "anna", "ben", "cleo", "dan")


@pytest.fixture
def reviewer(project: Project) -> Any:
    rita = make_user("rita")
    join(rita, project, Role.REVIEWER)
    return rita


@pytest.fixture
def layer(project: Project) -> Layer:
    return make_layers(project, 1)[0]


def say(project: Project, person: Any, decision: str) -> Verdict:
    return judge(person, claim_one(person, project), decision)


def pending() -> list[str]:
    return list(Adjudication.objects.filter(ruling="").values_list("reason", flat=True))


def test_an_unsure_layer_is_served_before_others(project: Project, people: list[Any]) -> None:
    layers = make_layers(project, 4)
    open_slots(project)
    unsure = say(project, people[0], Decision.UNSURE).layer_id
    assert claim_one(people[1], project).layer_id == unsure
    assert {layer.pk for layer in layers} > {unsure}


def test_after_two_unsure_people_a_reviewer_decides(project: Project, people: list[Any], layer: Layer) -> None:
    say(project, people[0], Decision.UNSURE)
    assert pending() == []
    say(project, people[1], Decision.UNSURE)
    assert pending() == ["unsure"]
    assert claim(user=people[2], project=project) == []


def test_a_broken_picture_leaves_the_queue_and_does_not_count(
    project: Project, people: list[Any], layer: Layer
) -> None:
    verdict = say(project, people[0], Decision.BROKEN)
    assert (pending(), verdict.is_counted, status_of(layer)) == (["broken"], False, LayerStatus.READY)
    assert claim(user=people[1], project=project) == []


def test_a_full_check_leaves_a_layer_to_its_reviewer(project: Project, people: list[Any], layer: Layer) -> None:
    say(project, people[0], Decision.BROKEN)
    fit_slots(project)
    open_slots(project)
    assert claim(user=people[1], project=project) == []


def test_an_even_split_goes_to_a_reviewer_where_the_policy_says_so(
    project: Project, people: list[Any], layer: Layer
) -> None:
    set_policy(project=project, gold_first=0, is_conflict_adjudicated=True)
    change_needed_judgements(project=project, needed=2)
    say(project, people[0], Decision.ACCEPT)
    say(project, people[1], Decision.REJECT)
    assert pending() == ["conflict"]
    assert claim(user=people[2], project=project) == []


def test_a_verdict_that_comes_while_a_reviewer_looks_counts_and_settles_nothing(
    project: Project, people: list[Any], layer: Layer
) -> None:
    change_needed_judgements(project=project, needed=2)
    held = [claim_one(person, project) for person in people[:2]]
    judge(people[0], held[0], Decision.BROKEN)
    assert judge(people[1], held[1]).is_counted
    assert (status_of(layer), pending()) == (LayerStatus.READY, ["broken"])
    assert not Slot.objects.filter(status=SlotStatus.OPEN).exists()


@pytest.mark.parametrize(("ruling", "status"), [("accept", LayerStatus.ACCEPTED), ("reject", LayerStatus.REJECTED)])
def test_the_reviewers_word_settles(
    project: Project, people: list[Any], layer: Layer, reviewer: Any, ruling: str, status: str
) -> None:
    say(project, people[0], Decision.BROKEN)
    decide(adjudication_id=Adjudication.objects.get().pk, reviewer=reviewer, ruling=ruling, note="seen")
    event = AuditEvent.objects.get(verb=AuditVerb.ADJUDICATED)
    assert status_of(layer) == status
    assert (event.actor_id, event.facts) == (reviewer.pk, {"reason": "broken", "ruling": ruling, "note": "seen"})


def test_a_reopened_layer_goes_to_people_who_have_not_judged_it(
    project: Project, people: list[Any], layer: Layer, reviewer: Any
) -> None:
    say(project, people[0], Decision.BROKEN)
    decide(adjudication_id=Adjudication.objects.get().pk, reviewer=reviewer, ruling="reopen")
    assert claim(user=people[0], project=project) == []
    say(project, people[1], Decision.ACCEPT)
    assert status_of(layer) == LayerStatus.ACCEPTED


def test_unsure_people_are_counted_anew_after_a_reopening(
    project: Project, people: list[Any], layer: Layer, reviewer: Any
) -> None:
    for person in people[:2]:
        say(project, person, Decision.UNSURE)
    decide(adjudication_id=Adjudication.objects.get().pk, reviewer=reviewer, ruling="reopen")
    say(project, people[2], Decision.UNSURE)
    assert pending() == []
    say(project, people[3], Decision.UNSURE)
    assert pending() == ["unsure"]


def test_only_the_first_reviewer_decides(project: Project, people: list[Any], layer: Layer, reviewer: Any) -> None:
    say(project, people[0], Decision.BROKEN)
    disputed = Adjudication.objects.get().pk
    decide(adjudication_id=disputed, reviewer=reviewer, ruling="accept")
    with pytest.raises(Refusal) as refused:
        decide(adjudication_id=disputed, reviewer=people[2], ruling="reject")
    assert (refused.value.code, status_of(layer)) == ("already_decided", LayerStatus.ACCEPTED)


def test_nobody_rules_on_a_layer_they_judged(project: Project, people: list[Any], layer: Layer, reviewer: Any) -> None:
    set_policy(project=project, gold_first=0, is_conflict_adjudicated=True)
    change_needed_judgements(project=project, needed=2)
    say(project, reviewer, Decision.ACCEPT)
    say(project, people[0], Decision.REJECT)
    with pytest.raises(Refusal) as refused:
        decide(adjudication_id=Adjudication.objects.get().pk, reviewer=reviewer, ruling="accept")
    assert refused.value.code == "own_verdict"


@pytest.mark.parametrize("decision", [Decision.UNSURE, Decision.BROKEN])
def test_taking_the_reason_back_brings_the_layer_back(
    project: Project, people: list[Any], layer: Layer, decision: str
) -> None:
    set_policy(project=project, gold_first=0, unsure_limit=1)
    verdict = say(project, people[0], decision)
    assert pending() == [decision]
    slot = undo(user=people[0], verdict=verdict)
    assert pending() == []
    judge(people[0], slot, Decision.ACCEPT)
    assert status_of(layer) == LayerStatus.ACCEPTED


def test_a_second_report_keeps_the_layer_with_the_reviewer(project: Project, people: list[Any], layer: Layer) -> None:
    change_needed_judgements(project=project, needed=2)
    held = [claim_one(person, project) for person in people[:2]]
    first, _ = [judge(person, slot, Decision.BROKEN) for person, slot in zip(people, held, strict=False)]
    undo(user=people[0], verdict=first)
    assert pending() == ["broken"]


def test_nobodys_change_of_mind_overrules_the_reviewer(
    project: Project, people: list[Any], layer: Layer, reviewer: Any
) -> None:
    set_policy(project=project, gold_first=0, is_conflict_adjudicated=True)
    change_needed_judgements(project=project, needed=2)
    verdict = say(project, people[0], Decision.ACCEPT)
    say(project, people[1], Decision.REJECT)
    decide(adjudication_id=Adjudication.objects.get().pk, reviewer=reviewer, ruling="reject")
    with pytest.raises(Refusal) as refused:
        undo(user=people[0], verdict=verdict)
    assert (refused.value.code, status_of(layer)) == ("not_undoable", LayerStatus.REJECTED)


def test_reviewers_see_the_verdicts_side_by_side_and_decide_over_the_api(
    project: Project, people: list[Any], layer: Layer, reviewer: Any
) -> None:
    set_policy(project=project, gold_first=0, is_conflict_adjudicated=True)
    change_needed_judgements(project=project, needed=2)
    judge(people[0], claim_one(people[0], project), "accept", note="clean")
    judge(people[1], claim_one(people[1], project), "reject", defects=[{"kind": "halo", "x": 3.0, "y": 4.0}])
    rita = client_of(reviewer)
    [shown] = rita.get(f"/api/adjudications/?project={project.slug}").json()["adjudications"]
    told = [(verdict["who"], verdict["decision"], verdict["note"]) for verdict in shown["verdicts"]]
    assert told == [("anna", "accept", "clean"), ("ben", "reject", "")]
    assert shown["verdicts"][1]["defects"] == [{"kind": "halo", "x": 3.0, "y": 4.0}]
    url = f"/api/adjudications/{shown['id']}/decide/"
    assert rita.post(url, {"ruling": "reject"}, format="json").status_code == 200
    assert rita.post(url, {"ruling": "accept"}, format="json").json()["code"] == "already_decided"
    assert status_of(layer) == LayerStatus.REJECTED


def test_annotators_see_neither_disputes_nor_histories(project: Project, people: list[Any], layer: Layer) -> None:
    say(project, people[0], Decision.BROKEN)
    anna = client_of(people[0])
    disputed = Adjudication.objects.get().pk
    answers = [
        anna.get(f"/api/adjudications/?project={project.slug}"),
        anna.post(f"/api/adjudications/{disputed}/decide/", {"ruling": "accept"}, format="json"),
        anna.get(f"/api/layers/{layer.pk}/history/"),
        anna.get(f"/api/gold/?project={project.slug}"),
        anna.get(f"/api/stats/agreement/?project={project.slug}"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5


def test_a_layers_history_has_every_verdict_and_act_in_order(
    project: Project, people: list[Any], layer: Layer, reviewer: Any
) -> None:
    undo(user=people[0], verdict=say(project, people[0], Decision.BROKEN))
    say(project, people[0], Decision.BROKEN)
    decide(adjudication_id=Adjudication.objects.get().pk, reviewer=reviewer, ruling="accept")
    history = client_of(reviewer).get(f"/api/layers/{layer.pk}/history/").json()["history"]
    assert [row["what"] for row in history] == [
        "verdict",
        "adjudication_opened",
        "verdict_undone",
        "verdict",
        "adjudication_opened",
        "adjudicated",
    ]
    assert (history[0]["undone_at"] is not None, history[-1]["who"]) == (True, "rita")


def test_layers_near_a_threshold_of_the_post_filter_come_first(project: Project, people: list[Any]) -> None:
    layers = make_layers(project, 5)
    Layer.objects.filter(pk=layers[3].pk).update(scores={"recomposition_error": 0.11})
    open_slots(project)
    assert claim_one(people[0], project).layer_id == layers[3].pk
    assert set(Slot.objects.values_list("priority", flat=True)) == {Priority.PLAIN, Priority.UNCERTAIN}
