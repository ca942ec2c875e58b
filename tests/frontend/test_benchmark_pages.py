"""The pages of benchmarks, gates and rounds as the server renders them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from engine.models import LayerStatus, Project, Role
from evaluation.models import Answer, Benchmark, BenchmarkItem, EvaluationRun, Gate, GateStatus, MetricScore
from evaluation.services.benchmarks import freeze_composites
from evaluation.services.gates import cancel_gate, open_gate
from tests.evaluation.gating import new_checkpoint
from tests.factories import join, make_image, make_layer, make_producer, make_user
from tests.frontend.csv_files import csv_of
from training.models import JobStatus


@pytest.fixture
def viewer(project: Project) -> Client:
    user = make_user("vera")
    join(user, project, Role.VIEWER)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def curator(project: Project) -> Client:
    user = make_user("cora")
    join(user, project, Role.CURATOR)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def benchmark(project: Project) -> Benchmark:
    return freeze_composites(project=project, name="held-out", count=2, size_px=64)


def scored(benchmark: Benchmark, name: str, hpa: float, networks: str = "n" * 64, **fields: Any) -> EvaluationRun:
    """A finished run with one HPA and one answer on every item, as scoring leaves them."""
    run = EvaluationRun.objects.create(
        benchmark=benchmark, producer=make_producer(name), checkpoint=name, status=JobStatus.FINISHED,
        networks_digest=networks, is_offline=True, code_revision="r", **fields,
    )  # fmt: skip
    for board in ("foreground", "background"):
        MetricScore.objects.create(
            run=run, board=board, metric="hpa", value=hpa, low=hpa - 0.1, high=hpa + 0.1, n=3,
            choices={"bounds": "b", "without": [hpa, hpa + 0.01, hpa - 0.01]},
        )  # fmt: skip
    for number, item in enumerate(benchmark.items.order_by("name")):
        values = {"s_vis": 0.1 + 0.01 * number, "soft_iou": hpa - 0.01 * number}
        Answer.objects.create(run=run, item=item, rgba=item.truth, seconds=0.1, values=values)
    return run


def get(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_strangers_see_none_of_it(client: Client, charlie: Any, project: Project, benchmark: Benchmark) -> None:
    client.force_login(charlie)
    here = f"/projects/{project.slug}"
    for address in (f"{here}/benchmarks/", f"{here}/rounds/", f"/benchmarks/{benchmark.pk}/"):
        assert client.get(address).status_code == 404


def test_a_benchmark_without_scores_says_what_it_waits_for(viewer: Client, benchmark: Benchmark) -> None:
    content = get(viewer, f"/benchmarks/{benchmark.pk}/")
    assert "Nobody is scored on this board yet" in content
    assert "Score it" not in content


def test_the_board_shows_order_intervals_and_what_is_offline(viewer: Client, benchmark: Benchmark) -> None:
    scored(benchmark, "better", 0.8)
    scored(benchmark, "worse", 0.4)
    content = get(viewer, f"/benchmarks/{benchmark.pk}/")
    assert content.index(">better<") < content.index(">worse<")
    assert content.count('<line class="band"') == 2
    assert "Offline networks" in content
    assert content.count('tag warn">offline') == 2


def test_the_board_comes_as_csv(viewer: Client, benchmark: Benchmark) -> None:
    scored(benchmark, "better", 0.8)
    scored(benchmark, "worse", 0.4)
    here = f"/benchmarks/{benchmark.pk}/"
    rows = csv_of(viewer, f"{here}?csv=board")
    assert [(row["Producer"], row["Metric"], float(row["Value"])) for row in rows] == [
        ("better", "hpa", 0.8),
        ("worse", "hpa", 0.4),
    ]
    assert "csv=board" in get(viewer, here)


def test_slices_come_as_csv(viewer: Client, benchmark: Benchmark) -> None:
    run = scored(benchmark, "one", 0.8)
    MetricScore.objects.create(
        run=run, board="foreground", metric="soft_iou", dimension="size", slice="small", value=0.5, n=2
    )
    [row] = csv_of(viewer, f"/benchmarks/{benchmark.pk}/?csv=slices")
    assert (row["Dimension"], row["Slice"], row["Layers"], row["Value"]) == ("size", "small", "2", "0.5")


def test_scores_of_other_networks_are_on_another_board(viewer: Client, benchmark: Benchmark) -> None:
    scored(benchmark, "seeded", 0.8)
    tiny = scored(benchmark, "by tiny", 0.7, "m" * 64, variant="offline-reflayer-tiny")
    content = get(viewer, f"/benchmarks/{benchmark.pk}/?networks={tiny.networks_digest}")
    assert ">by tiny<" in content
    assert ">seeded<" not in content


def test_worst_cases_lead_to_their_layers(viewer: Client, project: Project, benchmark: Benchmark) -> None:
    layer = make_layer(make_image(project))
    item = benchmark.items.filter(board="foreground").order_by("name").last()
    assert item is not None
    BenchmarkItem.objects.filter(pk=item.pk).update(layer=layer)
    scored(benchmark, "one", 0.8)
    assert f"/layers/{layer.pk}/history/" in get(viewer, f"/benchmarks/{benchmark.pk}/?by=soft_iou")


def test_the_history_of_a_layer_explains_its_metrics(client: Client, project: Project, alice: Any) -> None:
    benchmark = freeze_composites(project=project, name="held-out", count=2, size_px=64)
    layer = make_layer(make_image(project))
    BenchmarkItem.objects.filter(pk=benchmark.items.all()[0].pk).update(layer=layer)
    run = scored(benchmark, "one", 0.8)
    MetricScore.objects.create(run=run, board="foreground", metric="s_vis", layer=layer, value=0.25, n=1)
    client.force_login(alice)
    content = get(client, f"/layers/{layer.pk}/history/")
    assert "How different the seen part looks from the truth" in content
    assert "0.25" in content


def test_a_curator_freezes_ticked_layers_and_a_viewer_may_not(
    viewer: Client, curator: Client, project: Project
) -> None:
    layer = make_layer(make_image(project), status=LayerStatus.ACCEPTED)
    here = f"/projects/{project.slug}/benchmarks/"
    assert "Freeze accepted layers" not in get(viewer, here)
    assert viewer.post(f"{here}freeze/", {"name": "b", "layer": [str(layer.pk)]}).status_code == 403
    assert "Choose at least one accepted layer" in curator.post(f"{here}freeze/", {"name": "b"}).content.decode()
    answer = curator.post(f"{here}freeze/", {"name": "b", "layer": [str(layer.pk)]})
    made = Benchmark.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/benchmarks/{made.pk}/")
    assert "b</b>" in get(curator, here)


def test_a_checkpoint_is_asked_for_and_cancelled_from_the_page(curator: Client, benchmark: Benchmark) -> None:
    curator.post(f"/benchmarks/{benchmark.pk}/act/", {"act": "score", "checkpoint": "box"})
    run = EvaluationRun.objects.get()
    assert (run.status, run.checkpoint) == (JobStatus.QUEUED, "box")
    assert "Under way" in get(curator, f"/benchmarks/{benchmark.pk}/")
    curator.post(f"/evaluations/{run.pk}/cancel/")
    run.refresh_from_db()
    assert run.status == JobStatus.CANCELLED
    assert curator.get(f"/evaluations/{run.pk}/report.html").status_code == 404


@pytest.fixture
def gate(project: Project, benchmark: Benchmark) -> Gate:
    made = open_gate(checkpoint=new_checkpoint(project), project=project, benchmark=benchmark, budget=30)
    for run, hpa in ((made.run, 0.8), (made.rival_run, 0.5)):
        assert run is not None
        other = scored(benchmark, f"as {hpa}", hpa)
        other.scores.update(run=run)
        other.answers.update(run=run)
        EvaluationRun.objects.filter(pk=run.pk).update(status=JobStatus.FINISHED, networks_digest="n" * 64)
        other.delete()
    Gate.objects.filter(pk=made.pk).update(status=GateStatus.VOTING)
    return made


def test_the_gate_shows_paired_differences_votes_and_what_is_needed(viewer: Client, gate: Gate) -> None:
    content = get(viewer, f"/gates/{gate.pk}/")
    assert "+0.3" in content
    assert "not known yet" in content
    assert "0 of at most 30" in content
    assert "Decide now" not in content


def test_a_curator_decides_and_takes_back_and_a_viewer_may_not(viewer: Client, curator: Client, gate: Gate) -> None:
    here = f"/gates/{gate.pk}/"
    assert viewer.post(f"{here}act/", {"act": "promote"}).status_code == 403
    assert "Decide now" in get(curator, here)
    curator.post(f"{here}act/", {"act": "promote", "why": "It is plainly better."})
    content = get(curator, here)
    assert "It is plainly better." in content
    assert "Take it back" in content
    curator.post(f"{here}act/", {"act": "undo"})
    assert "Take it back" not in get(curator, here)


def test_a_gate_comes_as_csv(viewer: Client, project: Project, gate: Gate) -> None:
    [votes] = csv_of(viewer, f"/gates/{gate.pk}/?csv=votes")
    assert (votes["Won"], votes["At most"]) == ("0", str(gate.budget))
    scores = csv_of(viewer, f"/gates/{gate.pk}/?csv=scores")
    assert {row["Metric"] for row in scores} >= {"hpa", "soft_iou"}
    assert csv_of(viewer, f"/projects/{project.slug}/rounds/?csv=rounds") == []


def test_a_gate_is_offered_only_when_none_is_open(curator: Client, project: Project, gate: Gate) -> None:
    here = f"/projects/{project.slug}/rounds/"
    assert ("One at a time" in get(curator, here), "Open the gate" in get(curator, here)) == (True, False)
    cancel_gate(gate)
    assert ("One at a time" in get(curator, here), "Open the gate" in get(curator, here)) == (False, True)


def test_rounds_show_gates_and_who_may_open_one(viewer: Client, curator: Client, project: Project, gate: Gate) -> None:
    here = f"/projects/{project.slug}/rounds/"
    assert "No round yet" in get(viewer, here)
    assert f"/gates/{gate.pk}/" in get(viewer, here)
    assert "Open the gate" not in get(viewer, here)
    answer = curator.post(f"/projects/{project.slug}/gates/open/", {"checkpoint": gate.checkpoint_id, "budget": "9"})
    assert answer["Location"] == here
    assert Gate.objects.count() == 1
