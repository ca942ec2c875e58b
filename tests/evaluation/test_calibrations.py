"""Reports become scores, scores and ratings become a calibration with a version, and nothing half-written stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from engine.models import Layer, Producer, Project
from engine.refusals import Refusal
from evaluation.metrics.hpa import PAPER_FOREGROUND
from evaluation.models import Benchmark, Calibration, EvaluationRun, MetricScore, Rating, Refit
from evaluation.selectors.scores import axis_scores
from evaluation.services.calibrations import calibrate_board, choose
from evaluation.services.ratings import refit_stale_boards
from evaluation.services.scores import record_report
from tests.evaluation.voting import voted_board
from tests.factories import make_producer

TRUE = {"s_vis": 0.5, "s_gen": 0.3, "s_fid": 0.2}


def report(axes: Mapping[str, float], rows: list[dict[str, Any]] | None = None, **other: Any) -> dict[str, Any]:
    """As evaluation.score writes one, with scores that lie at these places between the paper's bounds."""
    results = []
    for metric, place in axes.items():
        ends = PAPER_FOREGROUND.axis(metric)
        value = ends.bad + place * (ends.good - ends.bad)
        results.append(
            {"metric": metric, "value": value, "low": None, "high": None, "n": 40, "choices": {"net": "alex"}}
        )
    results.append({"metric": "kid", "value": None, "low": None, "high": None, "n": 0, "reason": "too_few"})
    slices = [{"dimension": "category", "slice": "hair", "n": 9, "results": results[:2]}]
    board = {
        "kind": "foreground",
        "names": [row["name"] for row in rows or []],
        "results": results,
        "slices": slices,
        "hpa": {"bounds": PAPER_FOREGROUND.as_json()},
    }
    return {
        "format": "rld-score-report-1",
        "variant": "offline",
        "protocol": {"version": "rld-score-1"},
        "networks": {"perceptual": {"weights": "abc"}},
        "benchmark": "d" * 64,
        "boards": [board],
        "rows": rows or [],
        **other,
    }


def rated_and_scored(project: Project, producers: int, seed: int = 1) -> Benchmark:
    """Ratings that follow the true mix of three axes closely, as a refit would have stored them."""
    rng = np.random.default_rng(seed)
    refit = Refit.objects.create(
        project=project, board="foreground", votes=900, fitted_votes=900, changed_at=timezone.now(), seconds=0.1
    )
    for number in range(producers):
        axes = dict(zip(TRUE, rng.uniform(0.1, 0.9, 3), strict=True))
        producer = make_producer(f"network {number}")
        record_report(project=project, benchmark="b", producer=producer, report=report(axes))
        rating = 800 + 600 * sum(TRUE[axis] * value for axis, value in axes.items()) + rng.normal(0, 4)
        Rating.objects.create(
            refit=refit, producer=producer, votes=200, rating=rating, ci_low=rating - 8, ci_high=rating + 8,
            rank_low=1, rank_high=1,
        )  # fmt: skip
    return Benchmark.objects.get(name="b")


def test_a_report_is_stored_number_by_number(project: Project) -> None:
    run = record_report(
        project=project, benchmark="b", producer=make_producer("n"), report=report({"s_vis": 1, "s_gen": 0.5})
    )
    whole = run.scores.filter(dimension="")
    assert {score.metric: score.value for score in whole} == {
        "s_vis": 0, "s_gen": pytest.approx((1 + 0.1601) / 2), "kid": None,
    }  # fmt: skip
    assert whole.get(metric="kid").reason == "too_few"
    assert whole.get(metric="s_vis").choices == {"net": "alex"}
    assert set(run.scores.exclude(dimension="").values_list("slice", "metric")) == {
        ("hair", "s_vis"),
        ("hair", "s_gen"),
    }
    assert run.is_offline


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"format": "something"}, "not_a_report"),
        ({"boards": [{}]}, "not_a_report"),
        ({"benchmark": "e" * 64}, "other_truths"),
    ],
)
def test_a_report_on_something_else_leaves_nothing(project: Project, other: dict[str, Any], code: str) -> None:
    producer = make_producer("n")
    record_report(project=project, benchmark="b", producer=producer, report=report({"s_vis": 1}))
    with pytest.raises(Refusal) as refused:
        record_report(project=project, benchmark="b", producer=producer, report=report({"s_vis": 1}, **other))
    assert refused.value.code == code
    assert EvaluationRun.objects.count() == 1


def test_bounds_never_move(project: Project) -> None:
    producer = make_producer("n")
    record_report(project=project, benchmark="b", producer=producer, report=report({"s_vis": 1}))
    moved = report({"s_vis": 1})
    moved["boards"][0]["hpa"]["bounds"]["axes"]["s_vis"]["bad"] = 0.5
    with pytest.raises(Refusal) as refused:
        record_report(project=project, benchmark="b", producer=producer, report=moved)
    assert refused.value.code == "other_bounds"


def test_scores_of_other_networks_are_never_mixed_in(project: Project) -> None:
    full = dict.fromkeys(TRUE, 0.5)
    for name, weights in (("old", "abc"), ("new", "xyz")):
        networks = {"perceptual": {"weights": weights}}
        record_report(
            project=project, benchmark="b", producer=make_producer(name), report=report(full, networks=networks)
        )
    scored = axis_scores(Benchmark.objects.get(), "foreground")
    assert [Producer.objects.get(pk=pk).name for pk in scored] == ["new"]
    assert next(iter(scored.values())).axes == pytest.approx(full)


def test_the_newest_run_of_a_producer_counts_and_a_missing_axis_leaves_it_out(project: Project) -> None:
    for axes in (dict.fromkeys(TRUE, 0.2), dict.fromkeys(TRUE, 0.8)):
        record_report(project=project, benchmark="b", producer=make_producer("n"), report=report(axes))
    record_report(project=project, benchmark="b", producer=make_producer("half"), report=report({"s_vis": 1}))
    [scored] = axis_scores(Benchmark.objects.get(), "foreground").values()
    assert scored.axes == pytest.approx(dict.fromkeys(TRUE, 0.8))


def test_a_known_mix_is_calibrated_and_versioned(project: Project) -> None:
    benchmark = rated_and_scored(project, 9)
    first = calibrate_board(project=project, benchmark=benchmark, board="foreground")
    second = calibrate_board(project=project, benchmark=benchmark, board="foreground")
    assert (first.version, second.version, second.is_chosen) == (1, 2, False)
    for axis, true in TRUE.items():
        assert first.weights[axis]["value"] == pytest.approx(true, abs=0.06)
        assert first.weights[axis]["low"] <= first.weights[axis]["value"] <= first.weights[axis]["high"]
    assert first.is_enough
    assert [row["name"] for row in first.rows][:2] == ["HPA, calibrated", "HPA, equal weights"]
    assert len(first.points) == 9
    assert {row["slice"] for row in first.drift} == {"hair"}
    assert first.bounds_version == PAPER_FOREGROUND.version


def test_one_calibration_is_chosen_at_a_time(project: Project) -> None:
    benchmark = rated_and_scored(project, 8)
    first, second = (calibrate_board(project=project, benchmark=benchmark, board="foreground") for _ in range(2))
    choose(first)
    choose(second)
    assert list(Calibration.objects.filter(is_chosen=True)) == [second]


def test_few_producers_are_marked_and_very_few_refused(project: Project) -> None:
    assert not calibrate_board(project=project, benchmark=rated_and_scored(project, 5), board="foreground").is_enough
    MetricScore.objects.filter(run__producer__name__in=["network 0", "network 1"]).delete()
    with pytest.raises(Refusal) as refused:
        calibrate_board(project=project, benchmark=Benchmark.objects.get(), board="foreground")
    assert refused.value.code == "too_few_producers"
    assert Calibration.objects.count() == 1


def test_a_board_without_ratings_is_refused(project: Project) -> None:
    rated_and_scored(project, 4)
    with pytest.raises(Refusal) as refused:
        calibrate_board(project=project, benchmark=Benchmark.objects.get(), board="background")
    assert refused.value.code == "no_ratings"


def test_scores_of_single_layers_foretell_votes(project: Project) -> None:
    """The better producer's layers have the lower s_vis on every photo."""
    names = voted_board(project, strengths=(0.4, -0.4), photos=12, people=4)
    refit_stale_boards(project)
    for number, name in enumerate(names):
        layers = {str(pk): pk for pk in Layer.objects.filter(producer__name=name).values_list("pk", flat=True)}
        rows = [{"name": key, "s_vis": 0.1 * number + 0.01 * at, "undefined": {}} for at, key in enumerate(layers)]
        axes = dict.fromkeys(TRUE, 0.9 - 0.3 * number)
        record_report(
            project=project, benchmark="b", producer=Producer.objects.get(name=name), report=report(axes, rows),
            layers=layers,
        )  # fmt: skip
    refit = Refit.objects.get()
    for number in range(4):
        producer = make_producer(f"more {number}")
        Rating.objects.create(
            refit=refit, producer=producer, votes=1, rating=900 + number, ci_low=800, ci_high=1000,
            rank_low=1, rank_high=6,
        )  # fmt: skip
        record_report(
            project=project, benchmark="b", producer=producer, report=report(dict.fromkeys(TRUE, 0.1 * number))
        )
    found = calibrate_board(project=project, benchmark=Benchmark.objects.get(), board="foreground").foretelling
    assert found["coefficients"][0] < 0, "a lower s_vis wins"
    assert found["accuracy"]["value"] > 0.6
    assert 0.5 < found["ceiling"]["value"] <= 1


def run_command(*words: str) -> dict[str, Any]:
    out = StringIO()
    call_command(*words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def test_the_commands_go_the_whole_way(project: Project, tmp_path: Path) -> None:
    names = voted_board(project, strengths=(0.6, 0.2, -0.1, -0.3, -0.4), photos=6, people=4)
    for number, name in enumerate(names):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(report({"s_vis": 0.9 - 0.1 * number, "s_gen": 0.1 * number, "s_fid": 0.5})))
        arguments = ("record_scores", str(file), "--project", project.slug, "--benchmark", "b", "--producer", name)
        assert run_command(*arguments)["is_offline"]
    said = run_command("calibrate_hpa", "--project", project.slug, "--benchmark", "b", "--choose")
    [calibration] = said["calibrations"]
    assert (calibration["board"], calibration["version"], calibration["is_chosen"]) == ("foreground", 1, True)
    assert calibration["is_enough"] is False
    assert calibration["weights"]["s_vis"]["value"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("calibrate_hpa", "--project", "none", "--benchmark", "b"), "no project"),
        (("calibrate_hpa", "--project", "street-and-studio", "--benchmark", "none"), "no benchmark"),
        (
            ("record_scores", "a.json", "--project", "street-and-studio", "--benchmark", "b", "--producer", "x"),
            "no producer",
        ),
    ],
)
def test_wrong_names_are_one_clear_line(project: Project, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command(*words, stderr=StringIO())
