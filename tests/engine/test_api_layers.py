"""Layers over the API: filtered lists and one layer with prompts, for members only; blind for those who judge."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from engine.api.layers import MAKER, TELLING
from engine.models import LayerStatus, Project, Role
from tests.conftest import client_of
from tests.factories import join, make_image, make_layer, make_project, make_user


@pytest.fixture
def as_rita(project: Project) -> APIClient:
    """A reviewer."""
    rita = make_user("rita")
    join(rita, project, Role.REVIEWER)
    return client_of(rita)


def ids(answer: Any) -> set[str]:
    return {row["id"] for row in answer.json()["results"]}


def test_layers_are_filtered_by_status_and_kind(as_rita: APIClient, project: Project) -> None:
    image = make_image(project)
    ready = make_layer(image)
    dropped = make_layer(image, depth=1, status=LayerStatus.DROPPED, drop_reason="fragmented")
    background = make_layer(image, depth=2, kind="background")
    everything = {str(ready.id), str(dropped.id), str(background.id)}
    assert ids(as_rita.get("/api/layers/")) == everything
    assert ids(as_rita.get("/api/layers/", {"project": project.slug, "status": "dropped"})) == {str(dropped.id)}
    assert ids(as_rita.get("/api/layers/", {"kind": "background"})) == {str(background.id)}


def test_who_judges_sees_the_layers_of_the_stacks_and_none_of_what_became_of_them(
    as_bob: APIClient, project: Project
) -> None:
    image = make_image(project)
    statuses = [LayerStatus.READY, LayerStatus.ACCEPTED, LayerStatus.REJECTED]
    shown = [make_layer(image, depth=depth, status=status) for depth, status in enumerate(statuses)]
    make_layer(image, depth=3, status=LayerStatus.DROPPED, drop_reason="fragmented")
    make_layer(image, depth=4, status=LayerStatus.SUPERSEDED)
    for address in ({}, {"project": project.slug}):
        answer = as_bob.get("/api/layers/", address)
        assert ids(answer) == {str(layer.pk) for layer in shown}
        for row in answer.json()["results"]:
            assert not {*TELLING, MAKER} & set(row)
    assert not {*TELLING, MAKER} & set(as_bob.get(f"/api/layers/{shown[1].pk}/").json())


@pytest.mark.parametrize(("role", "is_told"), [(Role.REVIEWER, False), (Role.CURATOR, True), (Role.ADMIN, True)])
def test_who_made_a_layer_is_told_to_those_who_run_the_engine_and_not_to_reviewers_who_vote(
    project: Project, role: str, is_told: bool
) -> None:
    layer = make_layer(make_image(project))
    user = make_user("somebody")
    join(user, project, role)
    client = client_of(user)
    [listed] = client.get("/api/layers/").json()["results"]
    for shown in (listed, client.get(f"/api/layers/{layer.pk}/").json()):
        assert (MAKER in shown) is is_told
        assert set(TELLING) < set(shown)
        assert (layer.producer.name in str(shown)) is is_told


def test_layers_of_one_status_are_for_reviewers(as_bob: APIClient, project: Project) -> None:
    make_layer(make_image(project), status=LayerStatus.ACCEPTED)
    answer = as_bob.get("/api/layers/", {"project": project.slug, "status": "accepted"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert ids(as_bob.get("/api/layers/", {"status": "accepted"})) == set()


def test_one_list_is_open_for_one_project_and_blind_for_the_other(bob: Any, project: Project) -> None:
    own = make_project("Own")
    join(bob, own, Role.REVIEWER)
    told, blind = make_layer(make_image(own)), make_layer(make_image(project))
    rows = {row["id"]: row for row in client_of(bob).get("/api/layers/").json()["results"]}
    assert rows[str(told.pk)]["status"] == "ready"
    assert "status" not in rows[str(blind.pk)]


def test_an_unknown_status_is_named(as_bob: APIClient) -> None:
    answer = as_bob.get("/api/layers/", {"status": "splendid"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert set(answer.json()["fields"]) == {"status"}


def test_a_layer_comes_with_prompts_and_files(as_bob: APIClient, project: Project) -> None:
    layer = make_layer(make_image(project), label="cup")
    answer = as_bob.get(f"/api/layers/{layer.id}/").json()
    assert {prompt["kind"]: prompt["text"] for prompt in answer["prompts"]} == {"point": "", "text": "the cup"}
    for name in ("rgba", "visible_mask", "thumbnail"):
        file = b"".join(APIClient().get(answer[name]).streaming_content)
        assert file == getattr(layer, name).open().read()


def test_strangers_see_no_layer(as_charlie: APIClient, project: Project) -> None:
    layer = make_layer(make_image(project))
    answer = as_charlie.get(f"/api/layers/{layer.id}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert as_charlie.get("/api/layers/").json()["results"] == []
    assert as_charlie.get("/api/layers/", {"project": project.slug}).status_code == 404


def test_an_unknown_layer_is_not_found(as_bob: APIClient) -> None:
    assert as_bob.get(f"/api/layers/{uuid.uuid4()}/").status_code == 404


@pytest.mark.parametrize("path", ["layers", "runs", "images", "projects", "tokens", "recipes", "stats/funnel"])
def test_nothing_is_shown_without_signing_in(db: None, path: str) -> None:
    answer = APIClient().get(f"/api/{path}/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_list_takes_the_same_queries_for_any_length(
    as_bob: APIClient, project: Project, django_assert_max_num_queries: Any
) -> None:
    image = make_image(project)
    for depth in range(5):
        make_layer(image, depth=depth)
    with django_assert_max_num_queries(7):
        as_bob.get("/api/layers/", {"project": project.slug})
