"""The arena's pages in a browser: axe finds nothing, nothing overflows, the pictures are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from engine.models import Project
from evaluation.services.calibrations import calibrate_board
from evaluation.services.ratings import refit_stale_boards
from tests.browser.test_accessibility import faults
from tests.browser.test_vote import draw_rivals
from tests.evaluation.test_calibrations import rated_and_scored
from tests.evaluation.voting import voted_board


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault_on_the_arena_pages(
    page: Page, project: Project, alice: Any, sign_in: Callable[..., None], screenshot: Callable[..., None], theme: str
) -> None:
    page.set_default_timeout(30_000)
    page.emulate_media(color_scheme=theme)
    sign_in(alice)
    here = f"/projects/{project.slug}"
    page.goto(f"{here}/arena/", wait_until="networkidle")
    found = faults(page)
    benchmark = rated_and_scored(project, 9)
    calibrate_board(project=project, benchmark=benchmark, board="foreground")
    voted_board(project, strengths=(1.0, 0.8, 0.2, -0.3, -0.6))
    refit_stale_boards(project)
    for name, address in (("arena", f"{here}/arena/"), ("calibration", f"{here}/arena/calibration/")):
        page.goto(address, wait_until="networkidle")
        found += faults(page)
        screenshot(page, f"{name}-{theme}")
    draw_rivals(project)
    page.goto(f"{here}/compare/")
    page.wait_for_selector("body[data-judging]")
    for state in ("1", "2", "3", "4"):
        page.keyboard.press(state)
        found += [f"mode {state}: {fault}" for fault in faults(page)]
        screenshot(page, f"vote-{state}-{theme}")
    page.get_by_text("Why", exact=True).click()
    found += [f"criteria: {fault}" for fault in faults(page)]
    assert not found, "\n".join(found)


def test_on_a_phone_the_leaderboard_scrolls_inside_its_card(
    page: Page, project: Project, alice: Any, sign_in: Callable[..., None], screenshot: Callable[..., None]
) -> None:
    page.set_default_timeout(30_000)
    voted_board(project)
    refit_stale_boards(project)
    sign_in(alice)
    page.set_viewport_size({"width": 360, "height": 740})
    try:
        page.goto(f"/projects/{project.slug}/arena/", wait_until="networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        screenshot(page, "arena-phone")
    finally:
        page.set_viewport_size({"width": 1440, "height": 900})
