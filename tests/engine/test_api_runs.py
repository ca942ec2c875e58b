"""Runs over the API: curators start, cancel and retry; members watch; strangers see nothing."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from engine.models import EngineRun, ItemStatus, Project, Role, RunStatus
from engine.records import STAGES
from tests.conftest import client_of
from tests.engine.runs import give, make_run, make_worker, report
from tests.factories import join, make_image, make_user


def start(client: APIClient, project: Project, **kwargs: Any) -> Any:
    return client.post("/api/runs/", {"project": project.slug, **kwargs}, format="json")


def test_a_run_takes_all_pictures_of_the_project(as_alice: APIClient, project: Project, alice: Any) -> None:
    for _ in range(2):
        make_image(project)
    answer = start(as_alice, project, seed=3)
    run = EngineRun.objects.get()
    assert answer.status_code == 201
    assert (answer.json()["id"], answer.json()["items"]["queued"]) == (str(run.id), 2)
    assert (run.started_by, run.seed, run.recipe_name) == (alice, 3, "cpu")


def test_a_run_takes_only_the_pictures_named(as_alice: APIClient, project: Project) -> None:
    wanted, _ = make_image(project), make_image(project)
    start(as_alice, project, images=[str(wanted.id)], recipe="cpu_auto")
    run = EngineRun.objects.get()
    assert [item.image for item in run.items.all()] == [wanted]
    assert run.recipe_name == "cpu_auto"


def test_a_project_without_pictures_has_nothing_to_do(as_alice: APIClient, project: Project) -> None:
    answer = start(as_alice, project)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_do")


def test_an_unknown_recipe_is_named(as_alice: APIClient, project: Project) -> None:
    answer = start(as_alice, project, recipe="magic")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_recipe")


def test_a_picture_of_another_project_is_refused(as_alice: APIClient, project: Project) -> None:
    answer = start(as_alice, project, images=[str(uuid.uuid4())])
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_image")


def test_a_bad_body_names_its_fields(as_alice: APIClient) -> None:
    answer = as_alice.post("/api/runs/", {"images": ["x"], "seed": -1}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert set(answer.json()["fields"]) == {"project", "images", "seed"}


def test_a_run_shows_its_funnel(as_bob: APIClient, project: Project) -> None:
    run = make_run(project, pictures=2)
    first, second = run.items.order_by("created_at")
    report(first, "prefilter", seconds=1)
    report(second, "prefilter", outcome="dropped", reason="blurred", seconds=3)
    answer = as_bob.get(f"/api/runs/{run.id}/").json()
    assert [row["stage"] for row in answer["stages"]] == list(STAGES)
    prefilter = answer["stages"][0]
    assert (prefilter["in"], prefilter["kept"], prefilter["dropped"], prefilter["waiting"]) == (2, 1, 1, 2)
    assert (prefilter["kept_share"], prefilter["seconds_median"]) == (0.5, 2)
    assert prefilter["reasons"] == [{"reason": "blurred", "count": 1}]
    assert (answer["is_live"], answer["done_share"]) == (True, 0)


def test_a_run_shows_who_works_on_it(as_bob: APIClient, project: Project) -> None:
    run = make_run(project)
    give(run.items.first(), make_worker("cpu-0"))
    (worker,) = as_bob.get(f"/api/runs/{run.id}/").json()["workers"]
    assert (worker["name"], worker["pictures"], worker["is_silent"]) == ("cpu-0", 1, False)


def test_cancelling_stops_a_live_run_once(as_alice: APIClient, project: Project) -> None:
    run = make_run(project)
    first = as_alice.post(f"/api/runs/{run.id}/cancel/")
    assert (first.status_code, first.json()["status"], first.json()["items"]["cancelled"]) == (200, "cancelled", 2)
    again = as_alice.post(f"/api/runs/{run.id}/cancel/")
    assert (again.status_code, again.json()["code"]) == (409, "not_live")


def test_retrying_queues_what_failed(as_alice: APIClient, project: Project) -> None:
    run = make_run(project, status=RunStatus.FINISHED)
    first, second = run.items.all()
    run.items.filter(pk=first.pk).update(status=ItemStatus.FAILED)
    run.items.filter(pk=second.pk).update(status=ItemStatus.FINISHED)
    answer = as_alice.post(f"/api/runs/{run.id}/retry/")
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    assert (answer.json()["items"]["queued"], answer.json()["items"]["finished"]) == (1, 1)


def test_a_run_in_which_nothing_failed_has_nothing_to_retry(as_alice: APIClient, project: Project) -> None:
    run = make_run(project, pictures=1, status=RunStatus.FINISHED)
    run.items.update(status=ItemStatus.FINISHED)
    answer = as_alice.post(f"/api/runs/{run.id}/retry/")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_do")


def test_a_stage_is_done_again_with_other_parameters(as_alice: APIClient, as_bob: APIClient, project: Project) -> None:
    run = make_run(project, pictures=2, status=RunStatus.FINISHED)
    run.items.update(status=ItemStatus.FINISHED, stages_done=len(STAGES), scene_file="scenes/kept.npz")
    for item in run.items.all():
        for stage in STAGES:
            report(item, stage)
    address, body = f"/api/runs/{run.id}/rerun/", {"stage": "postfilter", "params": {"min_area_px": 99}}
    assert as_bob.post(address, body, format="json").status_code == 403
    assert as_alice.post(address, {**body, "stage": "polish"}, format="json").status_code == 400
    refused = as_alice.post(address, {**body, "params": {"areas": 1}}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")
    answer = as_alice.post(address, body, format="json")
    assert answer.status_code == 201
    assert answer.json()["items"]["queued"] == 2
    assert answer.json()["recipe"]["stages"][5]["params"]["min_area_px"] == 99
    assert [stage["in"] for stage in answer.json()["stages"]] == [2, 2, 2, 2, 2, 0]


@pytest.mark.parametrize(
    ("method", "path"), [("get", ""), ("post", "cancel/"), ("post", "retry/")], ids=["look", "cancel", "retry"]
)
def test_strangers_are_told_there_is_no_such_run(
    as_charlie: APIClient, project: Project, method: str, path: str
) -> None:
    run = make_run(project)
    answer = getattr(as_charlie, method)(f"/api/runs/{run.id}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_strangers_start_nothing_and_list_nothing(as_charlie: APIClient, project: Project) -> None:
    make_run(project)
    assert start(as_charlie, project).status_code == 404
    assert as_charlie.get("/api/runs/", {"project": project.slug}).status_code == 404
    assert as_charlie.get("/api/runs/").json()["results"] == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANNOTATOR, Role.REVIEWER])
def test_those_below_curator_watch_but_change_nothing(project: Project, role: str) -> None:
    user = make_user("dana")
    join(user, project, role)
    client, run = client_of(user), make_run(project)
    assert client.get(f"/api/runs/{run.id}/").status_code == 200
    for answer in (
        start(client, project),
        client.post(f"/api/runs/{run.id}/cancel/"),
        client.post(f"/api/runs/{run.id}/retry/"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


def test_the_list_counts_pictures_that_are_through(as_bob: APIClient, project: Project) -> None:
    run = make_run(project, pictures=3)
    run.items.filter(pk=run.items.first().pk).update(status=ItemStatus.DROPPED)
    (row,) = as_bob.get("/api/runs/", {"project": project.slug}).json()["results"]
    assert (row["id"], row["pictures"], row["ended"]) == (str(run.id), 3, 1)


def test_looking_at_a_run_takes_the_same_queries_for_any_size(
    as_bob: APIClient, project: Project, django_assert_max_num_queries: Any
) -> None:
    run = make_run(project, pictures=4)
    for item in run.items.all():
        report(item, "prefilter")
    with django_assert_max_num_queries(11):
        as_bob.get(f"/api/runs/{run.id}/")


def test_the_funnel_comes_in_columns(as_bob: APIClient, project: Project) -> None:
    run = make_run(project, pictures=1)
    report(run.items.get(), "prefilter", outcome="dropped", reason="blurred")
    report(make_run(project, pictures=1).items.get(), "prefilter")
    of_run = as_bob.get("/api/stats/funnel/", {"run": run.id}).json()
    of_project = as_bob.get("/api/stats/funnel/", {"project": project.slug}).json()
    assert {len(column) for column in of_run.values()} == {6}
    assert (of_run["in"][0], of_run["kept"][0], of_run["reasons"][0]) == (1, 0, {"blurred": 1})
    assert (of_project["in"][0], of_project["kept"][0]) == (2, 1)


@pytest.mark.parametrize("asked", [{}, {"project": "a", "run": str(uuid.uuid4())}, {"run": "x"}])
def test_the_funnel_wants_one_project_or_run(as_bob: APIClient, asked: dict[str, str]) -> None:
    answer = as_bob.get("/api/stats/funnel/", asked)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), json.dumps(answer.json())


def test_the_funnel_of_a_foreign_project_is_not_there(as_charlie: APIClient, project: Project) -> None:
    run = make_run(project)
    assert as_charlie.get("/api/stats/funnel/", {"project": project.slug}).status_code == 404
    assert as_charlie.get("/api/stats/funnel/", {"run": run.id}).status_code == 404
