"""The funnel counts what the database holds, also in the middle of a run."""

from __future__ import annotations

from typing import Any

import pytest

from engine.models import Project, StageRun
from engine.records import STAGES
from engine.selectors.funnel import funnel
from tests.engine.runs import make_run, report


@pytest.fixture
def run(project: Project) -> Any:
    """Four pictures: one dropped first, one failed in scene, one finished with a dropped layer, one half-way."""
    run = make_run(project, pictures=4)
    blurred, broken, done, half_way = run.items.order_by("created_at", "id")
    report(blurred, "prefilter", outcome="dropped", reason="blurred", seconds=1)
    for item in (broken, done, half_way):
        report(item, "prefilter", seconds=3)
    report(broken, "scene", outcome="failed", reason="ValueError: no pixels")
    for stage in STAGES[1:]:
        layers_in = 0 if stage == "scene" else 3
        dropped = {"01": "fragmented"} if stage == "postfilter" else {}
        report(done, stage, layers_in=layers_in, layers_out=3 - len(dropped), dropped_layers=dropped)
    return run


def test_the_funnel_lists_the_six_stages_in_order(run: Any) -> None:
    assert [row.stage for row in funnel(run.stage_runs.all())] == list(STAGES)


def test_a_stage_counts_what_came_in_and_what_became_of_it(run: Any) -> None:
    prefilter, scene, *_ = funnel(run.stage_runs.all())
    assert (prefilter.pictures_in, prefilter.kept, prefilter.dropped, prefilter.failed) == (4, 3, 1, 0)
    assert (scene.pictures_in, scene.kept, scene.dropped, scene.failed) == (2, 1, 0, 1)
    assert prefilter.kept_share == 0.75


def test_seconds_are_the_median_and_the_sum_per_picture(run: Any) -> None:
    prefilter = funnel(run.stage_runs.all())[0]
    assert (prefilter.seconds_median, prefilter.seconds_total) == (3, 10)


def test_reasons_are_kept_apart_from_failures(run: Any) -> None:
    prefilter, scene, *_ = funnel(run.stage_runs.all())
    assert prefilter.reasons == (("blurred", 1),)
    assert prefilter.failures == ()
    assert scene.failures == (("ValueError: no pixels", 1),)


def test_layers_dropped_one_by_one_are_counted_with_their_reason(run: Any) -> None:
    postfilter = funnel(run.stage_runs.all())[-1]
    assert postfilter.layer_reasons == (("fragmented", 1),)
    assert (postfilter.layers_in, postfilter.layers_out, postfilter.layers_dropped) == (3, 2, 1)
    assert postfilter.layers_kept_share == pytest.approx(2 / 3)


def test_a_stage_nothing_reached_has_no_share(project: Project) -> None:
    rows = funnel(make_run(project, pictures=1).stage_runs.all())
    assert [row.kept_share for row in rows] == [None] * 6


def test_the_most_frequent_reason_comes_first(project: Project) -> None:
    run = make_run(project, pictures=3)
    for item, reason in zip(run.items.all(), ["blurred", "too_small", "blurred"], strict=True):
        report(item, "prefilter", outcome="dropped", reason=reason)
    assert funnel(run.stage_runs.all())[0].reasons == (("blurred", 2), ("too_small", 1))


def test_three_queries_answer_for_any_number_of_pictures(run: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        funnel(StageRun.objects.filter(run=run))
