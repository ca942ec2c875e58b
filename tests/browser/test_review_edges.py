"""Looking at the edge of a layer: the walk, the worst-case matte, the colours that alpha hides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engine.models import Project
from tests.browser.drawn import BLUE, ORANGE, disc, flat, publish, rgba
from tests.browser.reviewing import Reviewing, colour_at

CENTRE = (160, 120)
RADIUS = 90


@pytest.fixture
def look_at(page: Page, project: Project, bob: Any, sign_in: Callable[..., None]) -> Callable[..., Page]:
    """Opens the review page with one drawn layer of an orange disc that lies on blue."""

    def look(layer: np.ndarray) -> Page:
        photo = np.where(disc(RADIUS)[..., None] > 0.5, flat(ORANGE), flat(BLUE))
        publish(project, photo, ("ball", layer), ("background", rgba(flat(BLUE))))
        sign_in(bob)
        return Reviewing(page, project).open().page

    return look


def flawed() -> np.ndarray:
    """To the right the photo's blue shines through, above the edge is torn, to the left the disc is cut off."""
    ys, xs = np.mgrid[0:240, 0:320] + 0.5
    angle = np.degrees(np.arctan2(ys - CENTRE[1], xs - CENTRE[0]))
    distance = np.hypot(xs - CENTRE[0], ys - CENTRE[1])
    teeth = np.where(np.abs(angle + 90) < 25, 4 * np.sign(np.sin(np.radians(angle) * RADIUS / 1.6)), 0)
    alpha = np.clip(RADIUS + teeth - distance + 0.5, 0, 1)
    alpha[:, : CENTRE[0] - 60] = 0
    colours = flat(ORANGE)
    colours[(np.abs(angle) < 25) & (distance > RADIUS - 3)] = BLUE
    return rgba(colours, alpha)


def test_the_edge_walk_stops_at_a_halo_a_torn_edge_and_a_hard_cut(look_at: Callable[..., Page]) -> None:
    page = look_at(flawed())
    page.keyboard.press("e")
    words = page.locator("#loupe-words")
    expect(words).to_contain_text("1 of")
    count = int(words.inner_text().split(" of ")[1])
    found = set()
    for _ in range(count):
        found.add(words.locator("b").inner_text())
        page.keyboard.press(".")
    assert found == {"Possible halo", "Jagged edge", "Hard cut"}
    expect(words).to_contain_text("1 of")
    page.keyboard.press(",")
    expect(words).to_contain_text(f"{count} of {count}")
    expect(page.locator("#layer-pane .spot")).to_have_count(count)
    page.keyboard.press("e")
    expect(page.locator("#loupe")).to_be_hidden()
    expect(page.locator("#layer-pane .spot")).to_have_count(0)


def test_on_a_clean_edge_the_walk_says_that_nothing_is_flagged(look_at: Callable[..., Page]) -> None:
    page = look_at(rgba(flat(ORANGE), disc(RADIUS)))
    page.keyboard.press(".")
    expect(page.locator("#loupe-words")).to_have_text("Nothing flagged here · 1 of 8")


def test_a_layer_that_fills_the_picture_has_no_edge_to_walk(look_at: Callable[..., Page]) -> None:
    page = look_at(rgba(flat(ORANGE)))
    page.keyboard.press("e")
    expect(page.locator("#loupe-words")).to_have_text("No edge inside the picture")
    expect(page.locator("#layer-pane .spot")).to_have_count(0)


@pytest.mark.parametrize(("colour", "is_worst"), [((10, 10, 10), "light"), ((250, 250, 250), "dark")])
def test_the_worst_case_matte_is_far_from_the_colours_of_the_edge(
    look_at: Callable[..., Page], colour: tuple[int, ...], is_worst: str
) -> None:
    page = look_at(rgba(flat(colour), disc(RADIUS)))
    page.keyboard.press("w")
    page.wait_for_function("() => document.querySelector('#layer-pane').style.getPropertyValue('--worst') !== ''")
    behind = colour_at(page, "#layer-pane", 0.02, 0.02)
    assert (sum(behind) > 600) is (is_worst == "light")
    page.keyboard.press("w")
    expect(page.locator("#mattes [aria-pressed=true]")).to_have_attribute("value", "checker-light")


def test_colours_without_alpha_show_what_lies_under_alpha_zero(look_at: Callable[..., Page]) -> None:
    page = look_at(rgba(flat((12, 200, 99)), disc(RADIUS)))
    page.locator("#mattes [value=colours]").click()
    page.wait_for_function("() => document.querySelector('#layer-pane .colours').width === 320")
    assert colour_at(page, "#layer-pane", 0.02, 0.02) == (12, 200, 99)
