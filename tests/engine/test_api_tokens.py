"""Tokens are shown once, open what their owner may open, and end when they are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from engine.models import ApiToken

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def bearer(text: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {text}"})


def test_a_session_makes_a_token_that_works(as_alice: APIClient, project: Any) -> None:
    answer = as_alice.post("/api/tokens/", {"name": "script"})
    assert answer.status_code == 201
    listed = bearer(answer.data["token"]).get("/api/projects/").json()["results"]
    assert [row["slug"] for row in listed] == [project.slug]


def test_name_and_password_make_a_token_without_a_session(alice: Any) -> None:
    answer = APIClient().post("/api/tokens/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 201
    assert bearer(answer.data["token"]).get("/api/tokens/").status_code == 200


def test_a_wrong_password_makes_none(alice: Any) -> None:
    answer = APIClient().post("/api/tokens/", {"username": "alice", "password": "wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
    assert not ApiToken.objects.exists()


def test_nobody_at_all_makes_none(db: None) -> None:
    answer = APIClient().post("/api/tokens/", {})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_token_cannot_make_another(as_alice: APIClient) -> None:
    text = as_alice.post("/api/tokens/").data["token"]
    answer = bearer(text).post("/api/tokens/")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_the_list_never_shows_the_text_again(as_alice: APIClient) -> None:
    text = as_alice.post("/api/tokens/", {"name": "script"}).data["token"]
    answer = as_alice.get("/api/tokens/")
    assert [row["name"] for row in answer.json()["results"]] == ["script"]
    assert text not in answer.content.decode()


def test_a_deleted_token_opens_nothing(as_alice: APIClient) -> None:
    made = as_alice.post("/api/tokens/").data
    assert as_alice.delete(f"/api/tokens/{made['id']}/").status_code == 204
    answer = bearer(made["token"]).get("/api/projects/")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_tokens_of_others_are_not_there(as_alice: APIClient, as_bob: APIClient) -> None:
    made = as_alice.post("/api/tokens/").data
    answer = as_bob.delete(f"/api/tokens/{made['id']}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert as_bob.get("/api/tokens/").json()["results"] == []


def test_guessing_passwords_is_slowed_down(db: None) -> None:
    guesses = [APIClient().post("/api/tokens/", {"username": "x", "password": str(n)}) for n in range(21)]
    assert {answer.status_code for answer in guesses[:20]} == {401}
    assert (guesses[20].status_code, guesses[20].json()["code"]) == (429, "throttled")
