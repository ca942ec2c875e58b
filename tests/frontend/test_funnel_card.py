"""The funnel counts photos before layers exist and layers after, and each bar ends where its numbers say."""

from __future__ import annotations

from typing import Any

import pytest

from engine.models import Project
from engine.records import STAGES
from engine.selectors.runs import run_report
from frontend.views.funnel import accepted_rows, funnel_rows
from tests.engine.runs import make_run, report
from tests.factories import make_layer


@pytest.fixture
def run(project: Project) -> Any:
    """Four photos, one dropped; the others become 6 layers, completion adds 3 backgrounds, 1 layer is dropped last."""
    run = make_run(project, pictures=4)
    blurred, *kept = run.items.order_by("created_at", "id")
    report(blurred, "prefilter", outcome="dropped", reason="blurred")
    for number, item in enumerate(kept):
        report(item, "prefilter")
        report(item, "scene", layers_out=2)
        report(item, "completion", layers_in=2, layers_out=3)
        report(item, "postprocess", layers_in=3, layers_out=3)
        report(item, "prompts", layers_in=3, layers_out=3)
        dropped = {"00": "all_soft"} if number == 0 else {}
        report(item, "postfilter", layers_in=3, layers_out=3 - len(dropped), dropped_layers=dropped)
    return run


def rows_of(run: Any) -> dict[str, Any]:
    return {row.stage: row for row in funnel_rows(run_report(run))}


def test_the_unit_changes_where_layers_come_into_being(run: Any) -> None:
    units = [row.unit for row in funnel_rows(run_report(run))]
    assert units == ["photos", "photos", "layers", "layers", "layers", "layers"]
    assert rows_of(run)["scene"].notes == ["3 photos become 6 layer candidates, 2.0 a photo"]


def test_photo_bars_are_of_all_photos_of_the_run(run: Any) -> None:
    prefilter, scene = rows_of(run)["prefilter"], rows_of(run)["scene"]
    assert (prefilter.in_width, prefilter.out_width, prefilter.kept) == (100, 75, "75.0 %")
    assert prefilter.label == "Pre-filter: 3 of 4 photos kept"
    assert (scene.in_width, scene.out_width, scene.kept) == (75, 75, "100.0 %")


def test_layer_bars_are_of_the_most_layers_there_ever_were(run: Any) -> None:
    rows = rows_of(run)
    assert rows["completion"].out_width == pytest.approx(100 * 6 / 9)
    assert rows["postfilter"].out_width == pytest.approx(100 * 8 / 9)
    assert rows["postfilter"].kept == "88.9 %"


def test_backgrounds_that_come_in_are_told_and_not_counted_as_kept(run: Any) -> None:
    completion = rows_of(run)["completion"]
    assert (completion.out, completion.kept) == ("6", "100.0 %")
    assert completion.notes == ["3 background layers come in here"]


def test_only_the_pre_filter_has_a_figure_of_the_paper(run: Any) -> None:
    assert {row.stage: row.tick for row in funnel_rows(run_report(run)) if row.tick} == {"prefilter": 86.1}


def test_a_run_that_has_not_begun_has_empty_bars(project: Project) -> None:
    rows = funnel_rows(run_report(make_run(project)))
    assert [row.stage for row in rows] == list(STAGES)
    assert {(row.in_width, row.out_width, row.kept, row.median) for row in rows} == {(0, 0, "–", "–")}


def test_acceptance_stands_beside_the_papers(run: Any) -> None:
    item = run.items.first()
    for depth, status in enumerate(["accepted", "rejected", "ready"]):
        make_layer(item.image, item=item, depth=depth, status=status)
    foreground, background = accepted_rows(run_report(run))
    assert (foreground.share, foreground.width, foreground.tick) == ("50.0 %", 50, 74.7)
    assert foreground.judged == "2 judged, 1 waiting"
    assert (background.share, background.width) == ("–", 0)
