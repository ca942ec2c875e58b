"""The quality card of the project page."""

from typing import Any

import pytest
from django.test import Client

from annotation.models import Assignee, QueuePolicy
from engine.models import Project

POLICY = {
    "gold_first": 3,
    "gold_rate": 0.1,
    "mirror_rate": 0.05,
    "qualification_items": 10,
    "qualification_accuracy": 0.9,
    "unsure_limit": 3,
    "rework_hours": 24,
}


@pytest.fixture
def as_alice(alice: Any, bob: Any) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_a_policy_is_saved_and_shown(project: Project, as_alice: Client) -> None:
    content = as_alice.post(f"/projects/{project.slug}/quality/", POLICY, follow=True).content.decode()
    policy = QueuePolicy.objects.get()
    assert {name: getattr(policy, name) for name in POLICY} == POLICY
    assert not policy.is_conflict_adjudicated
    assert "after 3 unsure people a reviewer decides" in content


def test_a_share_above_one_half_is_refused_in_words(project: Project, as_alice: Client) -> None:
    answer = as_alice.post(f"/projects/{project.slug}/quality/", {**POLICY, "gold_rate": 0.9}, follow=True)
    assert b"Share of gold items after that: Ensure this value" in answer.content
    assert not QueuePolicy.objects.exists()


def test_a_person_is_capped_paused_and_tested_again(project: Project, as_alice: Client, bob: Any) -> None:
    address = f"/projects/{project.slug}/assignees/"
    as_alice.post(address, {"username": "bob", "daily_cap": "40", "is_paused": "on"})
    assert (Assignee.objects.get().daily_cap, Assignee.objects.get().is_paused) == (40, True)
    assert b"paused" in as_alice.get(f"/projects/{project.slug}/").content
    as_alice.post(address, {"username": "bob", "daily_cap": ""})
    assert (Assignee.objects.get().daily_cap, Assignee.objects.get().is_paused) == (None, False)
    as_alice.post(address, {"username": "bob", "test": "1"})
    assert Assignee.objects.get().tested_from is not None


@pytest.mark.parametrize("sent", [{"username": "bob", "daily_cap": "many"}, {"username": "nobody", "daily_cap": "4"}])
def test_nonsense_changes_nobody(project: Project, as_alice: Client, sent: dict[str, str]) -> None:
    assert as_alice.post(f"/projects/{project.slug}/assignees/", sent).status_code == 302
    assert not Assignee.objects.exists()


def test_annotators_change_no_rules(project: Project, alice: Any, bob: Any) -> None:
    client = Client()
    client.force_login(bob)
    assert b'id="quality"' not in client.get(f"/projects/{project.slug}/").content
    assert client.post(f"/projects/{project.slug}/quality/", POLICY).status_code == 403
    assert client.post(f"/projects/{project.slug}/assignees/", {"username": "alice"}).status_code == 403
