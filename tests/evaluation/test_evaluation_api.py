"""Benchmarks, evaluations, gates and calibrations over HTTP: who may, what is refused, what is answered."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from engine.models import LayerStatus, Project, Role
from evaluation.models import Benchmark, Calibration, EvaluationRun, Gate, MetricScore
from evaluation.services.benchmarks import freeze_composites
from evaluation.services.calibrations import calibrate_board
from tests.conftest import client_of
from tests.evaluation.gating import new_checkpoint
from tests.evaluation.test_calibrations import rated_and_scored
from tests.factories import join, make_image, make_layer, make_producer, make_project, make_user
from training.models import Checkpoint, JobStatus


@pytest.fixture
def benchmark(project: Project) -> Benchmark:
    return freeze_composites(project=project, name="held-out", count=2, size_px=64)


@pytest.fixture
def checkpoint(project: Project) -> Checkpoint:
    return new_checkpoint(project)


def finished(benchmark: Benchmark, name: str, hpa: float, variant: str = "offline-reflayer-tiny") -> EvaluationRun:
    run = EvaluationRun.objects.create(
        benchmark=benchmark, producer=make_producer(name), checkpoint=name, status=JobStatus.FINISHED, variant=variant,
        networks_digest=(variant * 9)[:64], is_offline=True, code_revision="r",
    )  # fmt: skip
    whole = {"run": run, "board": "foreground", "n": 3}
    MetricScore.objects.create(**whole, metric="hpa", value=hpa, low=hpa - 0.1, high=hpa + 0.1)
    MetricScore.objects.create(**whole, metric="s_gen", value=None, reason="every_sample_left_out")
    MetricScore.objects.create(**whole, metric="s_vis", value=0.2, dimension="hidden", slice="over half")
    return run


def post(client: APIClient, url: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(url, body or {}, format="json")


def test_strangers_see_nothing_and_annotators_change_nothing(
    as_bob: APIClient, as_charlie: APIClient, project: Project, benchmark: Benchmark, checkpoint: Checkpoint
) -> None:
    run = finished(benchmark, "one", 0.5)
    writes = [
        ("/api/benchmarks/", {"project": project.slug, "name": "b", "layers": [str(uuid.uuid4())]}),
        (f"/api/benchmarks/{benchmark.pk}/watch/", {}),
        (f"/api/benchmarks/{benchmark.pk}/calibrations/foreground/1/choose/", {}),
        ("/api/evaluations/", {"benchmark": str(benchmark.pk), "checkpoint": "box"}),
        (f"/api/evaluations/{run.pk}/cancel/", {}),
        ("/api/gates/", {"project": project.slug, "checkpoint": str(checkpoint.pk)}),
    ]
    assert [post(as_charlie, *write).status_code for write in writes] == [404] * len(writes)
    assert [post(as_bob, *write).status_code for write in writes] == [403] * len(writes)
    reads = [f"/api/benchmarks/{benchmark.pk}/", f"/api/benchmarks/{benchmark.pk}/board/"]
    reads += [f"/api/evaluations/{run.pk}/", f"/api/evaluations/{run.pk}/scores/"]
    assert [as_charlie.get(url).status_code for url in reads] == [404] * len(reads)
    assert [as_bob.get(url).status_code for url in reads] == [200] * len(reads)
    lists = [f"/api/{name}/" for name in ("benchmarks", "evaluations", "gates", "calibrations")]
    assert [as_charlie.get(url).json()["results"] for url in lists] == [[]] * len(lists)
    assert as_charlie.get("/api/evaluations/", {"project": project.slug}).status_code == 404


def test_accepted_layers_are_frozen_and_the_benchmark_is_watched(as_alice: APIClient, project: Project) -> None:
    layer = make_layer(make_image(project), status=LayerStatus.ACCEPTED)
    other = make_layer(make_image(project))
    body = {"project": project.slug, "name": "judged", "layers": [str(layer.pk)]}
    refused = post(as_alice, "/api/benchmarks/", body | {"layers": [str(other.pk)]})
    assert (refused.status_code, refused.json()["code"]) == (400, "not_accepted")
    made = post(as_alice, "/api/benchmarks/", body)
    assert (made.status_code, made.json()["size"], made.json()["is_watched"]) == (201, 1, True)
    assert post(as_alice, "/api/benchmarks/", body).json()["code"] == "name_taken"
    second = freeze_composites(project=project, name="held-out", count=2, size_px=64)
    assert post(as_alice, f"/api/benchmarks/{second.pk}/watch/").json()["is_watched"]
    listed = as_alice.get("/api/benchmarks/", {"project": project.slug}).json()["results"]
    assert [(one["name"], one["is_watched"]) for one in listed] == [("held-out", True), ("judged", False)]


def test_an_evaluation_is_queued_watched_cancelled_and_asked_for_again(
    as_alice: APIClient, benchmark: Benchmark
) -> None:
    body = {"benchmark": str(benchmark.pk), "checkpoint": "box"}
    asked = post(as_alice, "/api/evaluations/", body)
    found = asked.json()
    assert (asked.status_code, found["status"], found["items_done"]) == (202, "queued", 0)
    assert found["items"] == benchmark.items.count()
    assert (found["producer"], found["is_offline"], found["report_url"]) == ("box", True, None)
    url = f"/api/evaluations/{found['id']}/"
    assert post(as_alice, "/api/evaluations/", body).json()["id"] == found["id"], "one is under way"
    assert post(as_alice, f"{url}cancel/").json()["status"] == "cancelled"
    assert post(as_alice, f"{url}cancel/").json()["code"] == "not_live"
    assert post(as_alice, "/api/evaluations/", body).json()["status"] == "queued"
    assert as_alice.get(url).json()["id"] == found["id"]
    listed = as_alice.get("/api/evaluations/", {"benchmark": str(benchmark.pk), "status": "queued"}).json()["results"]
    assert [row["id"] for row in listed] == [found["id"]]
    assert as_alice.get("/api/evaluations/", {"status": "finished"}).json()["results"] == []


def test_what_was_scored_before_is_handed_back(as_alice: APIClient, benchmark: Benchmark) -> None:
    run = finished(benchmark, "box", 0.5)
    body = {"benchmark": str(benchmark.pk), "checkpoint": "box"}
    again = post(as_alice, "/api/evaluations/", body)
    assert (again.status_code, again.json()["id"]) == (200, str(run.pk))
    anew = post(as_alice, "/api/evaluations/", body | {"again": True})
    assert anew.status_code == 202
    assert anew.json()["id"] != str(run.pk)


def test_evaluations_are_refused_with_a_code(as_alice: APIClient, project: Project, benchmark: Benchmark) -> None:
    reported = Benchmark.objects.create(project=project, name="reported", digest="d")
    tries = [
        ({"checkpoint": "absent"}, 400, "unknown_checkpoint"),
        ({"networks": "published"}, 409, "missing_weights"),
        ({"benchmark": str(reported.pk)}, 409, "no_items"),
        ({"networks": "mine"}, 400, "invalid"),
    ]
    for change, status, code in tries:
        answer = post(as_alice, "/api/evaluations/", {"benchmark": str(benchmark.pk), "checkpoint": "box"} | change)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not EvaluationRun.objects.exists()


def test_a_checkpoint_of_another_project_cannot_be_scored_and_is_not_named(
    as_alice: APIClient, benchmark: Benchmark
) -> None:
    new_checkpoint(make_project("Other"), "secret-1")
    answer = post(as_alice, "/api/evaluations/", {"benchmark": str(benchmark.pk), "checkpoint": "secret-1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_checkpoint")
    absent = post(as_alice, "/api/evaluations/", {"benchmark": str(benchmark.pk), "checkpoint": "absent"})
    assert "secret-1" not in absent.json()["detail"]


def test_scores_are_listed_by_part_with_what_is_undefined(as_alice: APIClient, benchmark: Benchmark) -> None:
    url = f"/api/evaluations/{finished(benchmark, 'one', 0.5).pk}/scores/"
    hpa, undefined = as_alice.get(url).json()["results"]
    assert (hpa["metric"], hpa["value"], hpa["low"], hpa["n"]) == ("hpa", 0.5, pytest.approx(0.4), 3)
    assert (undefined["value"], undefined["reason"]) == (None, "every_sample_left_out")
    [sliced] = as_alice.get(url, {"part": "slices"}).json()["results"]
    assert (sliced["dimension"], sliced["slice"]) == ("hidden", "over half")
    assert [row["metric"] for row in as_alice.get(url, {"metric": "hpa"}).json()["results"]] == ["hpa"]
    assert as_alice.get(url, {"part": "layers"}).json()["results"] == []
    assert as_alice.get(url, {"part": "everything"}).status_code == 400
    first = as_alice.get(url, {"page_size": 1}).json()
    assert [row["metric"] for row in as_alice.get(first["next"]).json()["results"]] == ["s_gen"]


def test_a_board_never_mixes_networks(as_alice: APIClient, benchmark: Benchmark) -> None:
    for name, hpa in (("worse", 0.4), ("better", 0.8)):
        finished(benchmark, name, hpa)
    finished(benchmark, "by fixed seeds", 0.9, "offline")
    url = f"/api/benchmarks/{benchmark.pk}/board/"
    board = as_alice.get(url).json()
    assert [row["producer"] for row in board["rows"]] == ["better", "worse"]
    assert (board["networks"]["variant"], board["networks"]["is_offline"]) == ("offline-reflayer-tiny", True)
    [other] = board["others"]
    assert board["rows"][0]["scores"]["hpa"]["value"] == 0.8
    second = as_alice.get(url, {"networks": other["digest"]}).json()
    assert [row["producer"] for row in second["rows"]] == ["by fixed seeds"]
    assert as_alice.get(url, {"board": "background"}).json()["rows"] == []
    assert as_alice.get(url, {"networks": "unknown"}).json()["networks"] is None


def test_a_gate_is_opened_seen_decided_and_taken_back(
    as_alice: APIClient, project: Project, benchmark: Benchmark, checkpoint: Checkpoint
) -> None:
    body = {"project": project.slug, "checkpoint": str(checkpoint.pk), "budget": 30}
    made = post(as_alice, "/api/gates/", body)
    gate = made.json()
    assert (made.status_code, gate["status"], gate["budget"]) == (201, "scoring", 30)
    assert (gate["checkpoint"], gate["benchmark"]) == (checkpoint.name, str(benchmark.pk))
    assert (gate["evidence"]["scores"], gate["evidence"]["votes"]["wins"]) == ([], 0)
    assert post(as_alice, "/api/gates/", body).json()["code"] == "gate_open"
    url = f"/api/gates/{gate['id']}/"
    assert post(as_alice, f"{url}decide/", {"decision": "maybe", "verdict": "x"}).status_code == 400
    decided = post(as_alice, f"{url}decide/", {"decision": "promote", "verdict": "Plainly better."}).json()
    assert (decided["status"], decided["verdict"], decided["is_open"]) == ("promoted", "Plainly better.", False)
    for act in ("decide", "cancel"):
        again = post(as_alice, f"{url}{act}/", {"decision": "reject", "verdict": "No."})
        assert (again.status_code, again.json()["code"]) == (409, "not_open")
    assert post(as_alice, f"{url}undo/").status_code == 200
    assert post(as_alice, f"{url}undo/").json()["code"] == "not_promoted"
    assert [row["id"] for row in as_alice.get("/api/gates/").json()["results"]] == [gate["id"]]


def test_a_gate_stays_inside_its_project(as_alice: APIClient, alice: Any, project: Project, checkpoint: Any) -> None:
    other = make_project("Other")
    join(alice, other, Role.CURATOR)
    foreign = freeze_composites(project=other, name="foreign", count=2, size_px=64)
    tries = [
        ({"benchmark": str(foreign.pk)}, 409, "other_project"),
        ({"project": other.slug}, 409, "other_project"),
        ({}, 409, "no_benchmark"),
        ({"checkpoint": str(uuid.uuid4())}, 404, "not_found"),
    ]
    for change, status, code in tries:
        body = {"project": project.slug, "checkpoint": str(checkpoint.pk)} | change
        answer = post(as_alice, "/api/gates/", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Gate.objects.exists()


def test_strangers_and_annotators_decide_nothing(
    as_alice: APIClient, as_charlie: APIClient, project: Project, benchmark: Benchmark, checkpoint: Checkpoint
) -> None:
    body = {"project": project.slug, "checkpoint": str(checkpoint.pk)}
    url = f"/api/gates/{post(as_alice, '/api/gates/', body).json()['id']}/"
    viewer = make_user("vera")
    join(viewer, project, Role.VIEWER)
    for act in ("decide", "cancel", "undo"):
        given = {"decision": "promote", "verdict": "Mine."}
        assert post(as_charlie, f"{url}{act}/", given).status_code == 404
        assert post(client_of(viewer), f"{url}{act}/", given).status_code == 403
    assert client_of(viewer).get(url).json()["is_open"]
    assert as_charlie.get(url).status_code == 404


def test_calibrations_are_listed_and_one_version_is_chosen(as_alice: APIClient, project: Project) -> None:
    benchmark = rated_and_scored(project, 8)
    for _ in range(2):
        calibrate_board(project=project, benchmark=benchmark, board="foreground")
    second, first = as_alice.get("/api/calibrations/", {"project": project.slug}).json()["results"]
    assert (first["version"], second["version"], first["is_chosen"], first["is_enough"]) == (1, 2, False, True)
    url = f"/api/benchmarks/{benchmark.pk}/calibrations/foreground"
    assert post(as_alice, f"{url}/1/choose/").json()["is_chosen"]
    assert list(Calibration.objects.filter(is_chosen=True).values_list("version", flat=True)) == [1]
    assert post(as_alice, f"{url}/9/choose/").status_code == 404
