"""Large recalls go on behind the request: with progress, after a killed worker, and until somebody stops them."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import AuditEvent, BulkAct, BulkStatus, Slot, Verdict
from annotation.services import bulk_acts
from annotation.services.bulk_acts import recall_verdicts, requeue_judged, work_acts
from annotation.services.claims import claim
from annotation.tasks import work_bulk_acts
from engine.models import LayerStatus, Project
from tests.annotation.judging import bulk_layers, claim_one, judge, make_annotators

LAYERS = 7


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_acts, "CHUNK", 3)
    monkeypatch.setattr(bulk_acts, "AT_ONCE", 2)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that were sent, for nobody to hear."""
    sent: list[str] = []
    monkeypatch.setattr(bulk_acts.current_app, "send_task", lambda name, **kwargs: sent.append(name))
    return sent


@pytest.fixture
def judged(project: Project, bob: Any) -> Project:
    """Bob has judged all seven layers."""
    bulk_layers(project, LAYERS)
    while slots := claim(user=bob, project=project, count=5):
        for slot in slots:
            judge(bob, slot)
    return project


def counted() -> int:
    return Verdict.objects.filter(is_counted=True).count()


@pytest.mark.usefixtures("rung")
def test_the_request_answers_before_the_work_and_tells_how_far_it_is(judged: Project, as_alice: APIClient) -> None:
    body = {"project": judged.slug, "username": "bob"}
    answer = as_alice.post("/api/bulk/recall/", body, format="json")
    begun = answer.json()
    assert (answer.status_code, begun["status"], begun["layers"], begun["done"]) == (202, "running", LAYERS, 0)
    assert counted() == LAYERS
    work_bulk_acts()
    address = f"/api/bulk/acts/{begun['id']}/"
    ended = as_alice.get(address).json()
    assert (ended["status"], ended["done"], ended["count"]) == ("finished", LAYERS, LAYERS)
    assert counted() == 0
    assert set(judged.layers.values_list("status", flat=True)) == {LayerStatus.READY}
    assert AuditEvent.objects.filter(verb="recalled").count() == LAYERS
    assert [row["id"] for row in as_alice.get(f"/api/bulk/acts/?project={judged.slug}").json()] == [begun["id"]]


def test_a_message_is_sent_when_the_act_is_saved(
    judged: Project, bob: Any, alice: Any, rung: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        recall_verdicts(project=judged, person=bob, actor=alice)
    assert rung == ["annotation.tasks.work_bulk_acts"]


def test_a_worker_that_is_killed_loses_one_chunk(
    judged: Project, bob: Any, alice: Any, rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    act = recall_verdicts(project=judged, person=bob, actor=alice)
    monkeypatch.setattr(bulk_acts, "TURN_S", -1.0)
    work_acts()
    act.refresh_from_db()
    assert (act.done, counted(), rung) == (3, LAYERS - 3, ["annotation.tasks.work_bulk_acts"])

    def die(*args: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(bulk_acts, "take_back", die)
        with pytest.raises(KeyboardInterrupt):
            work_acts()
    monkeypatch.setattr(bulk_acts, "TURN_S", 60.0)
    work_acts()
    act.refresh_from_db()
    assert (act.status, act.done, act.count, counted()) == (BulkStatus.FINISHED, LAYERS, LAYERS, 0)


def test_a_stopped_act_leaves_the_rest_as_it_is(
    judged: Project, bob: Any, alice: Any, as_alice: APIClient, rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    act = recall_verdicts(project=judged, person=bob, actor=alice)
    monkeypatch.setattr(bulk_acts, "TURN_S", -1.0)
    work_acts()
    address = f"/api/bulk/acts/{act.pk}/cancel/"
    assert as_alice.post(address).json()["status"] == "cancelled"
    assert as_alice.post(address).json()["code"] == "is_over"
    work_acts()
    assert counted() == LAYERS - 3


@pytest.mark.usefixtures("rung")
def test_what_is_judged_after_the_act_began_is_left_alone(judged: Project, bob: Any, alice: Any) -> None:
    requeue_judged(project=judged, person=bob, actor=alice)
    bulk_layers(judged, 1)
    judge(bob, claim_one(bob, judged))
    work_acts()
    assert BulkAct.objects.get().count == LAYERS
    assert counted() == 1


@pytest.mark.usefixtures("rung")
def test_requeueing_what_one_person_judged_takes_back_what_others_said_of_it_too(
    project: Project, bob: Any, alice: Any
) -> None:
    Project.objects.update(needed_judgements=2)
    bulk_layers(project, 3)
    (anna,) = make_annotators(project, "anna")
    for slot in claim(user=anna, project=project, count=3):
        judge(anna, slot)
    for slot in claim(user=bob, project=project, count=2):
        judge(bob, slot)
    act = requeue_judged(project=project, person=bob, actor=alice)
    assert (act.status, act.layers, act.count) == (BulkStatus.FINISHED, 2, 4)
    assert counted() == 1
    assert Slot.objects.filter(status="open").count() == 5


def test_strangers_and_members_below_admin_learn_nothing_of_an_act(
    judged: Project, bob: Any, alice: Any, as_bob: APIClient, as_charlie: APIClient, rung: list[str]
) -> None:
    act = recall_verdicts(project=judged, person=bob, actor=alice)
    for client, status in ((as_bob, 403), (as_charlie, 404)):
        assert client.get(f"/api/bulk/acts/{act.pk}/").status_code == status
        assert client.post(f"/api/bulk/acts/{act.pk}/cancel/").status_code == status
