"""What an admin does to many rows at once, over the API: who may, what the queue becomes, what is written down."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import AuditEvent, Slot, SlotStatus, Verdict
from annotation.services.adjudications import decide, open_adjudication
from annotation.services.claims import claim
from engine.models import Layer, LayerStatus, Project
from engine.refusals import Refusal
from frontend.selectors import waiting_for
from tests.annotation.judging import claim_one, judge, make_annotators, make_layers, status_of

pytestmark = pytest.mark.django_db
ACTS = {
    "release": {"username": "bob"},
    "reassign": {"username": "bob", "to": "alice"},
    "recall": {"username": "bob"},
    "lift-recall": {"username": "bob"},
    "requeue": {"layers": [str(uuid.uuid4())]},
}


def act(client: APIClient, project: Project, name: str, **body: Any) -> Any:
    return client.post(f"/api/bulk/{name}/", {"project": project.slug, **body}, format="json")


@pytest.mark.parametrize("name", ACTS)
def test_only_admins_may(
    project: Project, bob: Any, as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, name: str
) -> None:
    assert act(as_alice, project, name, **ACTS[name]).json()["count"] == 0
    assert act(as_bob, project, name, **ACTS[name]).status_code == 403
    assert act(as_charlie, project, name, **ACTS[name]).status_code == 404


def test_nobody_can_act_on_a_person_of_no_membership(project: Project, charlie: Any, as_alice: APIClient) -> None:
    assert act(as_alice, project, "release", username="charlie").status_code == 404


def test_released_layers_are_served_to_others(project: Project, bob: Any, as_alice: APIClient) -> None:
    make_layers(project, 2)
    claim(user=bob, project=project, count=2)
    (anna,) = make_annotators(project, "anna")
    assert claim(user=anna, project=project, count=2) == []
    assert act(as_alice, project, "release", username="bob").json() == {"count": 2}
    assert len(claim(user=anna, project=project, count=2)) == 2
    assert AuditEvent.objects.get(verb="released").facts == {"person": "bob", "slots": 2}


def test_reassigned_layers_change_hands_but_for_those_already_judged(
    project: Project, bob: Any, as_alice: APIClient
) -> None:
    Project.objects.update(needed_judgements=2)
    known, _ = make_layers(project, 2)
    (anna,) = make_annotators(project, "anna")
    slots = claim(user=anna, project=project, count=2)
    judge(anna, next(slot for slot in slots if slot.layer_id == known.pk))
    claim(user=bob, project=project, count=2)
    Slot.objects.filter(holder=anna).update(status=SlotStatus.OPEN, holder=None)
    assert act(as_alice, project, "reassign", username="bob", to="anna").json() == {"count": 1}
    assert Slot.objects.get(holder=bob).layer_id == known.pk
    assert Slot.objects.get(holder=anna).layer_id != known.pk


def test_handing_layers_to_the_same_person_is_refused(project: Project, bob: Any, as_alice: APIClient) -> None:
    response = act(as_alice, project, "reassign", username="bob", to="bob")
    assert (response.status_code, response.json()["code"]) == (400, "same_person")


def test_recalled_verdicts_stay_as_history_and_others_judge_the_layer(
    project: Project, bob: Any, as_alice: APIClient
) -> None:
    accepted, rejected = make_layers(project, 2)
    for slot in claim(user=bob, project=project, count=2):
        judge(bob, slot, "accept" if slot.layer_id == accepted.pk else "reject")
    assert act(as_alice, project, "recall", username="bob").json()["count"] == 2
    assert [status_of(layer) for layer in (accepted, rejected)] == [LayerStatus.READY] * 2
    assert Verdict.objects.filter(is_counted=False, undone_at__isnull=False).count() == 2
    (anna,) = make_annotators(project, "anna")
    for slot in claim(user=anna, project=project, count=2):
        judge(anna, slot, "accept")
    assert [status_of(layer) for layer in (accepted, rejected)] == [LayerStatus.ACCEPTED] * 2
    assert AuditEvent.objects.filter(verb="recalled", facts__person="bob").count() == 2


def test_a_recalled_person_is_not_asked_about_the_layer_again_until_an_admin_says_so(
    project: Project, bob: Any, as_alice: APIClient
) -> None:
    [layer] = make_layers(project, 1)
    slot = claim_one(bob, project)
    judge(bob, slot)
    act(as_alice, project, "recall", username="bob")
    assert claim(user=bob, project=project) == []
    assert waiting_for(bob, project) == 0
    with pytest.raises(Refusal) as refused:
        judge(bob, slot)
    assert (refused.value.code, status_of(slot)) == ("lease_lost", SlotStatus.OPEN)
    Verdict.objects.exclude(extra_reason="").delete()
    assert act(as_alice, project, "lift-recall", username="bob").json() == {"count": 1}
    judge(bob, claim_one(bob, project))
    assert status_of(layer) == LayerStatus.ACCEPTED
    assert AuditEvent.objects.get(verb="recall_lifted").facts == {"person": "bob", "verdicts": 1}


def test_what_an_admin_hands_over_is_nothing_the_other_one_was_recalled_from(
    project: Project, bob: Any, as_alice: APIClient
) -> None:
    make_layers(project, 1)
    judge(bob, claim_one(bob, project))
    act(as_alice, project, "recall", username="bob")
    (anna,) = make_annotators(project, "anna")
    claim_one(anna, project)
    assert act(as_alice, project, "reassign", username="anna", to="bob").json() == {"count": 0}


def test_the_judgements_of_others_stay_when_one_person_is_recalled(
    project: Project, bob: Any, as_alice: APIClient
) -> None:
    Project.objects.update(needed_judgements=2)
    project.refresh_from_db()
    [layer] = make_layers(project, 1)
    (anna,) = make_annotators(project, "anna")
    for person in (anna, bob):
        judge(person, claim_one(person, project))
    act(as_alice, project, "recall", username="bob")
    assert status_of(layer) == LayerStatus.READY
    assert list(Verdict.objects.filter(is_counted=True).values_list("annotator__username", flat=True)) == ["anna"]
    assert Slot.objects.filter(layer=layer, status=SlotStatus.OPEN).count() == 1


def test_a_recall_since_a_moment_leaves_what_was_before(project: Project, bob: Any, as_alice: APIClient) -> None:
    make_layers(project, 2)
    first, second = (judge(bob, claim_one(bob, project)) for _ in range(2))
    moment = second.created_at.isoformat()
    assert act(as_alice, project, "recall", username="bob", since=moment).json()["count"] == 1
    first.refresh_from_db()
    assert first.is_counted


def test_a_reviewers_decision_outlives_a_recall(project: Project, alice: Any, bob: Any, as_alice: APIClient) -> None:
    Project.objects.update(needed_judgements=2)
    [layer] = make_layers(project, 1)
    judge(bob, claim_one(bob, project), "reject")
    open_adjudication(Layer.objects.get(pk=layer.pk), "conflict")
    decide(adjudication_id=layer.adjudications.get().pk, reviewer=alice, ruling="accept")
    assert act(as_alice, project, "recall", username="bob").json()["count"] == 1
    assert status_of(layer) == LayerStatus.ACCEPTED
    assert not Slot.objects.filter(layer=layer, status=SlotStatus.OPEN).exists()


def test_requeued_layers_are_judged_from_the_beginning(project: Project, bob: Any, as_alice: APIClient) -> None:
    Project.objects.update(needed_judgements=2)
    layer, untouched = make_layers(project, 2)
    people = [bob, *make_annotators(project, "anna")]
    for person in people:
        for slot in claim(user=person, project=project, count=2):
            judge(person, slot)
    assert act(as_alice, project, "requeue", layers=[str(layer.pk)]).json()["count"] == 2
    assert (status_of(layer), status_of(untouched)) == (LayerStatus.READY, LayerStatus.ACCEPTED)
    assert Slot.objects.filter(layer=layer, status=SlotStatus.OPEN).count() == 2
    for person in people:
        judge(person, claim_one(person, project), "reject")
    assert status_of(layer) == LayerStatus.REJECTED


def test_a_verdict_after_the_lease_was_taken_away_is_kept(project: Project, bob: Any, as_alice: APIClient) -> None:
    make_layers(project, 1)
    slot = claim_one(bob, project)
    make_annotators(project, "anna")
    act(as_alice, project, "reassign", username="bob", to="anna")
    with pytest.raises(Refusal, match="lease"):
        judge(bob, slot)
    assert Verdict.objects.get().extra_reason == "lease_lost"
