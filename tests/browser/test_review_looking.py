"""Ways of looking at a layer."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from engine.models import Project
from tests.browser.reviewing import Reviewing, colour_at, decisions, eventually
from tests.factories import make_image, make_layer

FLAT = {
    "checker-light": None,
    "checker-dark": None,
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "green": (0, 177, 64),
    "magenta": (214, 0, 154),
    "worst": None,
    "ghost": None,
    "alpha": (0, 0, 0),
    "ruby": None,
    "colours": None,
}
"""What stands behind a fully transparent pixel, where it is one colour."""


@pytest.fixture
def reviewing(page: Page, project: Project, bob: Any, sign_in: Callable[[Any], None]) -> Reviewing:
    image = make_image(project, seed=3, width=320, height=240)
    make_layer(image, label="ball")
    make_layer(image, kind="background", label="background", depth=1, status="accepted")
    sign_in(bob)
    return Reviewing(page, project).open()


def share_of_equal_neighbours(page: Page, pane: str) -> float:
    """Of the pixels of a screen row in the middle of the pane, how many equal the next one."""
    box = page.locator(pane).bounding_box() or {}
    clip = {"x": box["x"] + 100, "y": box["y"] + box["height"] / 2, "width": 300, "height": 1}
    row = list(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB").get_flattened_data())
    return sum(a == b for a, b in itertools.pairwise(row)) / (len(row) - 1)


def test_every_matte_can_be_reached_and_shows_its_colour(reviewing: Reviewing) -> None:
    page = reviewing.page
    seen = []
    for matte, colour in FLAT.items():
        expect(page.locator("#mattes [aria-pressed=true]")).to_have_attribute("value", matte)
        corner = colour_at(page, "#layer-pane", 0.03, 0.03)
        seen.append(corner)
        assert colour is None or max(abs(a - b) for a, b in zip(colour, corner, strict=True)) <= 2, matte
        if matte == "alpha":
            assert colour_at(page, "#layer-pane", 0.5, 0.5) == (255, 255, 255)
        page.keyboard.press("b")
    red, green, blue = seen[-2]
    assert red > green + 20
    assert red > blue + 20
    expect(page.locator("#mattes [aria-pressed=true]")).to_have_attribute("value", "checker-light")
    page.keyboard.press("Shift+B")
    expect(page.locator("#mattes [aria-pressed=true]")).to_have_attribute("value", "colours")


def test_zoom_is_linked_pixelated_when_large_and_fits_again(reviewing: Reviewing) -> None:
    page = reviewing.page
    worlds = page.locator(".pane-world")
    box = page.locator("#photo-pane").bounding_box() or {}
    page.locator("#mattes [value=ruby]").click()
    page.mouse.move(box["x"] + 100, box["y"] + 300)
    page.mouse.wheel(0, -1200)
    expect(page.locator(".pane.pixelated:visible")).to_have_count(2)
    left, right = (world.evaluate("node => node.style.transform") for world in worlds.all()[:2])
    assert left == right
    assert share_of_equal_neighbours(page, "#photo-pane") > 0.7
    assert share_of_equal_neighbours(page, "#layer-pane") > 0.7
    page.keyboard.press("Shift+Digit1")
    expect(page.locator("#zoom")).to_have_text("100 %")
    expect(page.locator(".pane.pixelated:visible")).to_have_count(0)
    page.keyboard.press("0")
    fitted = worlds.first.bounding_box() or {}
    assert box["x"] < fitted["x"]
    assert fitted["x"] + fitted["width"] < box["x"] + box["width"]


def test_holding_o_shows_the_photo_and_letting_go_the_layer(reviewing: Reviewing) -> None:
    page = reviewing.page
    pane = page.locator("#layer-pane")
    page.keyboard.down("o")
    expect(pane).to_have_attribute("data-shows", "photo")
    expect(page.locator("#layer-pane .caption").first).to_have_text("Photo")
    page.keyboard.up("o")
    expect(pane).to_have_attribute("data-shows", "layer")


def test_the_composite_shows_the_stack_and_hiding_takes_a_layer_out(reviewing: Reviewing) -> None:
    page = reviewing.page
    expect(page.locator("#strip li b")).to_have_text(["Ball", "Background"])
    page.keyboard.press("c")
    expect(page.locator("#layer-pane .composite img")).to_have_count(2)
    page.keyboard.press("h")
    expect(page.locator("#layer-pane .composite img")).to_have_count(1)
    page.keyboard.press("c")
    expect(page.locator("#layer-pane")).to_have_attribute("data-shows", "layer")


def test_the_prompt_is_drawn_and_can_be_switched(project: Project, reviewing: Reviewing) -> None:
    page = reviewing.page
    expect(page.locator("#photo-pane .point-mark")).to_have_count(1)
    page.keyboard.press("p")
    expect(page.locator("#prompt-words")).to_have_text("“the ball”")
    expect(page.locator("#photo-pane .point-mark")).to_have_count(0)


def test_a_mask_prompt_is_outlined_where_the_mask_is(project: Project, reviewing: Reviewing) -> None:
    runs = {"size": [4, 5], "counts": [5, 2, 2, 2, 9]}
    assert reviewing.page.evaluate(
        """async ([runs]) => (await import(document.querySelector("script[type=module]").src
            .replace("review.js", "outlines.js"))).outlinePath(runs)""",
        [runs],
    ) == ("M1 1L3 1L3 3L1 3Z")


def test_on_a_phone_everything_fits_and_a_thumb_decides(reviewing: Reviewing) -> None:
    page = reviewing.page
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("Reject", "Unsure", "Accept"):
        box = page.get_by_role("button", name=name).bounding_box() or {}
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 40
    for pane in ("#photo-pane", "#layer-pane"):
        expect(page.locator(pane)).to_be_in_viewport(ratio=0.9)
    page.wait_for_timeout(200)
    page.get_by_role("button", name="Accept").click()
    eventually(lambda: decisions() == ["accept"])
    page.set_viewport_size({"width": 1440, "height": 900})
