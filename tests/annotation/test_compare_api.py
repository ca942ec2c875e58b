"""The arena over HTTP, and that nothing in it names a producer before the vote."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from annotation.models import Comparison, SlotPurpose, Vote
from annotation.services.comparisons import gold_comparison
from annotation.services.leases import lease_end
from engine.models import Project
from tests.annotation.comparing import NAMES, make_rivals


def claim(client: APIClient, project: Project, count: int = 1) -> list[dict[str, Any]]:
    answer = client.post("/api/compare/claim/", {"project": project.slug, "count": count}, format="json")
    assert answer.status_code == 200, answer.data
    return answer.data["assignments"]


def ballot(choice: str = "left", **kwargs: Any) -> dict[str, Any]:
    return {"choice": choice, "client_id": str(uuid.uuid4()), "active_ms": 900, **kwargs}


def send(client: APIClient, assignment: dict[str, Any], **kwargs: Any) -> Any:
    return client.post(f"/api/assignments/{assignment['id']}/vote/", ballot(**kwargs), format="json")


def test_nothing_of_an_assignment_names_a_producer_or_a_layer(as_bob: APIClient, project: Project) -> None:
    layers = make_rivals(project, photos=3)
    said = json.dumps(claim(as_bob, project, 3), default=str)
    secrets = [*NAMES, *(str(layer.pk) for layer in layers), *(str(layer.producer_id) for layer in layers)]
    assert [secret for secret in secrets if secret in said] == []
    assert "producer" not in said


def test_the_files_are_served_and_their_addresses_and_headers_name_nobody(as_bob: APIClient, project: Project) -> None:
    make_rivals(project, photos=1)
    [assignment] = claim(as_bob, project)
    for side in ("left", "right"):
        answer = as_bob.get(assignment[side]["rgba_url"])
        assert answer.status_code == 200
        told = assignment[side]["rgba_url"] + str(answer.headers)
        assert not [name for name in NAMES if name in told]
        assert b"".join(answer.streaming_content).startswith(b"\x89PNG")


def test_an_assignment_has_all_that_the_page_draws(as_bob: APIClient, project: Project) -> None:
    make_rivals(project, photos=1)
    [assignment] = claim(as_bob, project)
    assert set(assignment) == {
        "id", "expires_at", "project", "board", "edit", "scene_url", "source", "left", "right", "prompt",
    }  # fmt: skip
    assert assignment["prompt"]["kind"] in {"point", "text"}
    assert (assignment["source"]["width"], assignment["board"]) == (64, "foreground")


def test_a_vote_is_stored_once_and_answers_the_same_again(as_bob: APIClient, project: Project) -> None:
    make_rivals(project, photos=1)
    [assignment] = claim(as_bob, project)
    said = ballot("tie", views={"modes": ["two"], "mattes": ["checker-light"]}, criteria={"edges": "tie"})
    path = f"/api/assignments/{assignment['id']}/vote/"
    first, again = (as_bob.post(path, said, format="json") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.data == again.data
    assert Vote.objects.get().views == {"modes": ["two"], "mattes": ["checker-light"], "edited": False}


def test_a_probe_is_answered_like_any_other(as_bob: APIClient, bob: Any, project: Project) -> None:
    make_rivals(project, photos=2)
    gold = gold_comparison(project, bob)
    gold.status, gold.holder, gold.available_at = "leased", bob, lease_end()
    gold.save()
    assignments = claim(as_bob, project, 2)
    answers = {assignment["id"]: send(as_bob, assignment) for assignment in assignments}
    assert str(gold.pk) in answers
    assert {tuple(sorted(answer.data)) for answer in answers.values()} == {tuple(sorted(answers[str(gold.pk)].data))}
    assert all(answer.data["is_counted"] for answer in answers.values())
    assert Vote.objects.get(comparison__purpose=SlotPurpose.GOLD).is_counted is False


def test_none_left_is_204(as_bob: APIClient, project: Project) -> None:
    assert as_bob.post("/api/compare/claim/", {"project": project.slug}, format="json").status_code == 204


@pytest.mark.parametrize("said", [{"choice": "best"}, {"choice": "left", "criteria": {"edges": "both"}}, {}])
def test_a_ballot_that_makes_no_sense_is_refused(as_bob: APIClient, project: Project, said: dict[str, Any]) -> None:
    make_rivals(project, photos=1)
    [assignment] = claim(as_bob, project)
    answer = as_bob.post(f"/api/assignments/{assignment['id']}/vote/", {"client_id": "a", **said}, format="json")
    assert (answer.status_code, answer.data["code"]) == (400, "invalid")
    assert not Vote.objects.exists()


def test_strangers_find_nothing(as_bob: APIClient, as_charlie: APIClient, project: Project) -> None:
    make_rivals(project, photos=1)
    [assignment] = claim(as_bob, project)
    assert as_charlie.post("/api/compare/claim/", {"project": project.slug}, format="json").status_code == 404
    for act in ("vote", "heartbeat", "release"):
        answer = as_charlie.post(f"/api/assignments/{assignment['id']}/{act}/", ballot(), format="json")
        assert answer.status_code == 404, act


def test_a_lease_is_kept_and_given_back_at_the_addresses_of_any_assignment(as_bob: APIClient, project: Project) -> None:
    make_rivals(project, photos=1)
    [assignment] = claim(as_bob, project)
    kept = as_bob.post(f"/api/assignments/{assignment['id']}/heartbeat/")
    assert (kept.status_code, str(kept.data["id"])) == (200, assignment["id"])
    assert as_bob.post(f"/api/assignments/{assignment['id']}/release/").status_code == 204
    assert Comparison.objects.get(pk=assignment["id"]).status == "open"


def test_undo_brings_the_comparison_back(as_bob: APIClient, as_alice: APIClient, project: Project) -> None:
    make_rivals(project, photos=1)
    [assignment] = claim(as_bob, project)
    given = send(as_bob, assignment).data
    path = f"/api/votes/{given['id']}/undo/"
    assert as_alice.post(path).status_code == 404
    answer = as_bob.post(path)
    assert answer.status_code == 200
    assert answer.data["assignment"]["id"] == assignment["id"]
    assert answer.data["vote"]["undone_at"]
