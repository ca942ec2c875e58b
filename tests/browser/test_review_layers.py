"""The layers of a photo together: composite, residual, lift test, picking, panes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.models import Project
from tests.browser.drawn import BLUE, ORANGE, disc, flat, publish, rgba
from tests.browser.reviewing import Reviewing, colour_at


@pytest.fixture
def reviewing(page: Page, project: Project, bob: Any, sign_in: Callable[..., None]) -> Reviewing:
    """A grey photo. In front an orange disc, behind it a blue disc, behind both a background that is 10 too bright."""
    small, large = disc(60), disc(90)
    publish(
        project,
        flat((100, 100, 100)),
        ("ball", rgba(flat(ORANGE), small)),
        ("plate", rgba(flat(BLUE), large)),
        ("background", rgba(flat((110, 110, 110)))),
    )
    sign_in(bob)
    return Reviewing(page, project).open()


def test_the_residual_says_how_far_the_stack_is_from_the_photo(reviewing: Reviewing) -> None:
    page = reviewing.page
    for _ in range(2):
        page.keyboard.press("h")
        page.keyboard.press("ArrowDown")
    expect(page.locator("#layer-pane .composite img")).to_have_count(1)
    page.keyboard.press("r")
    reading = page.locator("#layer-pane .reading")
    expect(reading).to_contain_text("mean 10.00")
    expect(reading).to_contain_text("p99 10.0")
    page.keyboard.press("s")
    page.keyboard.press("r")
    expect(reading).to_be_hidden()


def test_the_heat_map_is_dark_where_the_stack_is_right_and_bright_where_it_is_not(reviewing: Reviewing) -> None:
    page = reviewing.page
    page.keyboard.press("r")
    expect(page.locator("#layer-pane .reading")).to_contain_text("mean")
    assert sum(colour_at(page, "#layer-pane", 0.02, 0.02)) < 200
    assert sum(colour_at(page, "#layer-pane", 0.5, 0.5)) > 500


def test_the_composite_shows_the_front_layer_and_lifting_it_what_is_behind(reviewing: Reviewing) -> None:
    page = reviewing.page
    page.keyboard.press("c")
    expect(page.locator("#layer-pane .composite img")).to_have_count(3)
    assert colour_at(page, "#layer-pane", 0.5, 0.5) == ORANGE
    page.keyboard.down("l")
    expect(page.locator("#layer-pane .caption").first).to_have_text("Lifted what is behind ball")
    expect(page.locator("#layer-pane .composite img")).to_have_count(2)
    assert colour_at(page, "#layer-pane", 0.5, 0.5) == BLUE
    page.keyboard.up("l")
    expect(page.locator("#layer-pane .composite img")).to_have_count(3)


def test_up_and_down_pick_the_layer_that_solo_hide_and_lift_act_on(reviewing: Reviewing) -> None:
    page = reviewing.page
    picked = page.locator("#strip .picked b")
    expect(picked).to_have_text("Ball")
    page.keyboard.press("ArrowDown")
    expect(picked).to_have_text("Plate")
    page.keyboard.press("s")
    expect(page.locator("#layer-pane .composite img")).to_have_count(1)
    assert colour_at(page, "#layer-pane", 0.5, 0.5) == BLUE
    page.keyboard.press("s")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(picked).to_have_text("Background")
    page.keyboard.press("h")
    expect(page.locator("#strip .off b")).to_have_text("Background")


def test_thumbnails_in_the_strip_are_cut_to_what_is_in_the_layer(reviewing: Reviewing) -> None:
    view_box = reviewing.page.locator("#strip .cutout").first.get_attribute("viewBox") or ""
    x, y, width, height = map(float, view_box.split())
    assert 80 < x < 100
    assert 40 < y < 60
    assert 120 <= width == height < 140


def test_v_goes_through_two_four_and_one_pane_with_one_camera(reviewing: Reviewing) -> None:
    page = reviewing.page
    panes = page.locator("#panes > .pane:visible")
    expect(panes).to_have_count(2)
    page.keyboard.press("v")
    expect(panes).to_have_count(4)
    expect(page.locator("#stack-pane .composite img")).to_have_count(3)
    expect(page.locator("#residual-pane .reading")).to_contain_text("mean")
    page.keyboard.press("+")
    page.wait_for_function("""() => {
        const worlds = [...document.querySelectorAll("#panes > .pane .pane-world")];
        return new Set(worlds.map((world) => world.style.transform)).size === 1;
    }""")
    page.keyboard.press("v")
    expect(panes).to_have_count(1)
    expect(page.locator("#layer-pane")).to_be_visible()
