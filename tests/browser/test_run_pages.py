"""From a run to what it gave up, to another run beside it, and to one stage done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.models import EngineRun, LayerStatus, Project, RunItem, RunStatus
from engine.records import STAGES
from tests.browser.test_accessibility import faults
from tests.engine.runs import make_run, report
from tests.factories import make_layer

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def run(project: Project, alice: Any, sign_in: Callable[[Any], None]) -> EngineRun:
    """Four finished pictures with some losses."""
    sign_in(alice)
    run = make_run(project, pictures=4, status=RunStatus.FINISHED)
    run.items.update(status="finished", stages_done=len(STAGES), scene_file="scenes/kept.npz")
    blurred, *kept = run.items.order_by("created_at")
    report(blurred, "prefilter", outcome="dropped", reason="blurred", numbers={"clipped_dark": 0.6})
    for item in kept:
        for stage in STAGES:
            report(item, stage, layers_in=3, layers_out=3, device_s=0.4, tokens=30)
        layer = make_layer(item.image, item=item, label="mug", status=LayerStatus.DROPPED, drop_reason="all_soft")
        item.stage_runs.filter(stage="postfilter").update(dropped_layers={layer.key: "all_soft"}, layers_out=2)
    return run


def both_widths(page: Page, name: str, screenshot: Callable[[Page, str], None]) -> None:
    for size, label in ((WIDE, "wide"), (NARROW, "narrow")):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{name} scrolls sideways at {size['width']} px"
        screenshot(page, f"{name}-{label}")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]


@pytest.fixture
def other(run: EngineRun) -> EngineRun:
    """Made of the last stage of ``run`` anew; no stage of it left a picture."""
    other = make_run(run.project, pictures=0, status=RunStatus.FINISHED, derived_from=run, from_stage="postprocess")
    for item in run.items.all():
        twin = RunItem.objects.create(
            run=other, image=item.image, recipe_digest="b" * 64, queue="cpu", status="finished"
        )
        report(twin, "postfilter", layers_in=3, layers_out=3)
    return other


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault_on_a_finished_run_and_beside_another(
    page: Page, run: EngineRun, other: EngineRun, theme: str
) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    found = []
    for address in (f"/runs/{run.id}/", f"/runs/{run.id}/compare/", f"/runs/{run.id}/failures/"):
        page.goto(address, wait_until="networkidle")
        found += faults(page)
    assert not found, "\n".join(found)


def test_from_the_run_to_what_it_gave_up(page: Page, run: EngineRun, screenshot: Callable[[Page, str], None]) -> None:
    page.goto(f"/runs/{run.id}/")
    page.get_by_role("link", name="Given up").click()
    expect(page.locator(".failure")).to_have_count(2)
    both_widths(page, "run-failures", screenshot)
    page.get_by_role("link", name="Dark 1").click()
    expect(page.locator(".failure")).to_have_count(1)
    expect(page.locator(".failure")).to_contain_text("blurred")


def test_another_run_stands_beside_it(page: Page, other: EngineRun, screenshot: Callable[[Page, str], None]) -> None:
    page.goto(f"/runs/{other.id}/")
    page.get_by_role("link", name="Side by side").click()
    expect(page.locator(".pair")).to_have_count(4)
    page.get_by_role("link", name="Post-filter").click()
    expect(page.get_by_text("4 photos in both")).to_be_visible()
    both_widths(page, "run-compare", screenshot)


def test_one_stage_is_done_again_from_its_form(
    page: Page, run: EngineRun, screenshot: Callable[[Page, str], None]
) -> None:
    page.goto(f"/runs/{run.id}/")
    page.get_by_role("link", name="Run again from post-processing on").click()
    page.get_by_label("band_share", exact=True).fill("wide")
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_text("is no JSON")).to_be_visible()
    both_widths(page, "run-rerun", screenshot)
    page.get_by_label("band_share", exact=True).fill("0.03")
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_text("from post-processing on anew")).to_be_visible()
    derived = EngineRun.objects.get(derived_from=run)
    assert derived.items.count() == 3
    assert derived.recipe["stages"][3]["params"]["band_share"] == 0.03
