"""The vote page as a person with a keyboard or a phone meets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from annotation.models import Comparison, Vote
from annotation.services import comparisons
from engine.imaging import box_of, encode_png
from engine.models import Layer, Project
from engine.services.files import store
from tests.annotation.comparing import NAMES
from tests.browser.drawn import ORANGE, disc, flat, rgba
from tests.browser.reviewing import SLIP_MS, colour_at, eventually
from tests.factories import make_image, make_layer, make_producer

GREEN = (40, 170, 80)
SCALES = """() => ["left", "right"].map((side) =>
    new DOMMatrix(getComputedStyle(document.querySelector(`#${side}-pane .pane-world`)).transform).a)"""
WORST = """() => ["left", "right"].map((side) =>
    document.querySelector(`#${side}-pane`).style.getPropertyValue("--worst"))"""
ASKED = """() => performance.getEntriesByType("resource").map((entry) => entry.name)"""


@pytest.fixture(autouse=True)
def _no_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "EDIT_SHARE", 0.0)
    monkeypatch.setattr(comparisons, "OVERLAP_SHARE", 0.0)


def draw_rivals(project: Project, photos: int = 3) -> None:
    """On every photo an orange ball by one producer and a green one by the other."""
    for _ in range(photos):
        image = make_image(project, width=320, height=240)
        for name, colour in zip(NAMES, (ORANGE, GREEN), strict=False):
            layer = make_layer(image, producer=make_producer(name))
            pixels = rgba(flat(colour), disc())
            Layer.objects.filter(pk=layer.pk).update(
                rgba=store("layers", encode_png(pixels), "png"), box=list(box_of(pixels[..., 3] > 0) or ())
            )


def soon(is_true: Callable[[], Any]) -> None:
    """Also on a machine that does a lot beside."""
    eventually(is_true, seconds=30)


class Voting:
    def __init__(self, page: Page, project: Project) -> None:
        self.page = page
        self.address = f"/projects/{project.slug}/compare/"

    def open(self) -> Voting:
        self.page.goto(self.address)
        self.page.wait_for_selector("body[data-judging]")
        return self

    @property
    def comparison(self) -> Comparison:
        shown = self.page.wait_for_selector("body[data-judging]").get_attribute("data-judging")
        return Comparison.objects.select_related("left__producer", "right__producer").get(pk=shown)

    def colours(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of the left and the right producer's ball."""
        one = {NAMES[0]: ORANGE, NAMES[1]: GREEN}
        shown = self.comparison
        return one[shown.left.producer.name], one[shown.right.producer.name]

    def press(self, key: str) -> None:
        """A key that changes the pair."""
        before = str(self.comparison.pk)
        self.page.wait_for_timeout(SLIP_MS)
        self.page.keyboard.press(key)
        self.page.wait_for_function("before => document.body.dataset.judging !== before", arg=before)


@pytest.fixture
def voting(page: Page, project: Project, bob: Any, sign_in: Callable[..., None]) -> Voting:
    page.set_default_timeout(30_000)
    draw_rivals(project)
    sign_in(bob)
    return Voting(page, project)


def near(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 6) -> bool:
    return bool(np.abs(np.array(found) - np.array(wanted)).max() <= by)


@pytest.mark.parametrize(
    ("key", "choice"),
    [("ArrowLeft", "left"), ("k", "right"), ("ArrowDown", "tie"), ("n", "both_bad")],
)
def test_one_key_is_one_vote_and_the_next_pair_at_once(voting: Voting, key: str, choice: str) -> None:
    voting.open()
    shown = voting.comparison
    voting.press(key)
    soon(lambda: Vote.objects.filter(comparison=shown, choice=choice, is_counted=True).exists())
    assert voting.comparison.pk != shown.pk
    vote = Vote.objects.get()
    assert vote.views == {"modes": ["two"], "mattes": ["checker-light"], "edited": False}


def test_both_sides_are_painted_where_the_server_put_them(voting: Voting) -> None:
    voting.open()
    left, right = voting.colours()
    assert near(colour_at(voting.page, "#left-pane", 0.5, 0.5), left)
    assert near(colour_at(voting.page, "#right-pane", 0.5, 0.5), right)


def test_nothing_that_reaches_the_browser_names_a_producer(voting: Voting) -> None:
    heard: list[str] = []
    voting.page.on("response", lambda answer: heard.append(answer.url + str(answer.all_headers())))
    bodies: list[str] = []
    voting.page.on("response", lambda answer: bodies.append(answer.text()) if "/api/" in answer.url else None)
    voting.open()
    voting.press("ArrowLeft")
    soon(lambda: Vote.objects.exists())
    told = " ".join([*heard, *bodies, voting.page.content(), *voting.page.evaluate(ASKED)])
    assert len(bodies) >= 1
    assert not [name for name in NAMES if name in told]
    assert "producer" not in " ".join(bodies)


def test_space_flickers_in_place_while_it_is_held(voting: Voting) -> None:
    voting.open()
    left, right = voting.colours()
    voting.page.keyboard.down("Space")
    assert near(colour_at(voting.page, "#left-pane", 0.5, 0.5), right)
    voting.page.keyboard.up("Space")
    assert near(colour_at(voting.page, "#left-pane", 0.5, 0.5), left)
    assert not Vote.objects.exists()


def test_swipe_shows_one_side_on_each_side_of_the_divider(voting: Voting) -> None:
    voting.open()
    left, right = voting.colours()
    voting.page.keyboard.press("2")
    assert near(colour_at(voting.page, "#left-pane", 0.4, 0.5), left)
    assert near(colour_at(voting.page, "#left-pane", 0.6, 0.5), right)
    for _ in range(10):
        voting.page.keyboard.press("]")
    assert near(colour_at(voting.page, "#left-pane", 0.6, 0.5), left)
    divider = voting.page.locator("#divider").bounding_box() or {}
    voting.page.mouse.move(divider["x"] + 14, divider["y"] + 20)
    voting.page.mouse.down()
    voting.page.mouse.move(200, divider["y"] + 20)
    voting.page.mouse.up()
    assert near(colour_at(voting.page, "#left-pane", 0.4, 0.5), right)


def test_onion_mixes_and_difference_subtracts(voting: Voting) -> None:
    voting.open()
    left, right = voting.colours()
    voting.page.keyboard.press("3")
    assert near(colour_at(voting.page, "#left-pane", 0.5, 0.5), tuple((np.array(left) + right) // 2), by=8)
    voting.page.keyboard.press("4")
    apart = np.minimum(255, 3 * np.abs(np.array(left) - right))
    assert near(colour_at(voting.page, "#left-pane", 0.5, 0.5), tuple(apart), by=12)
    assert near(colour_at(voting.page, "#left-pane", 0.02, 0.02), (0, 0, 0))
    voting.press("ArrowDown")
    soon(lambda: Vote.objects.exists())
    assert Vote.objects.get().views["modes"] == ["two", "onion", "difference"]


def test_zoom_is_linked_and_mattes_are_shared_and_recorded(voting: Voting) -> None:
    page = voting.open().page
    page.mouse.move(300, 450)
    page.mouse.wheel(0, -600)
    page.keyboard.press("Shift+ArrowRight")
    scales = page.evaluate(SCALES)
    assert scales[0] == scales[1] != 1
    page.keyboard.press("0")
    page.keyboard.press("b")
    page.keyboard.press("b")
    for pane in ("#left-pane", "#right-pane"):
        assert near(colour_at(page, pane, 0.02, 0.02), (0, 0, 0))
    page.keyboard.press("w")
    page.wait_for_function(f"() => ({WORST})()[0]")
    worst = page.evaluate(WORST)
    assert worst[0] == worst[1]
    voting.press("ArrowDown")
    soon(lambda: Vote.objects.exists())
    assert Vote.objects.get().views["mattes"] == ["checker-light", "checker-dark", "black", "worst"]


def test_an_edit_is_the_same_on_both_sides(voting: Voting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "EDIT_SHARE", 1.0)
    monkeypatch.setattr(comparisons, "edit_for", lambda *_: {"kind": "move", "dx": 60, "dy": 0})
    page = voting.open().page
    left, right = voting.colours()
    for pane, colour in (("#left-pane", left), ("#right-pane", right)):
        assert near(colour_at(page, pane, 0.5 + 130 / 320, 0.5), colour), "the ball reaches 60 px farther to the right"
        assert not near(colour_at(page, pane, 0.5 - 80 / 320, 0.5), colour)
    page.keyboard.press("p")
    assert near(colour_at(page, "#left-pane", 0.5 - 80 / 320, 0.5), left)
    page.keyboard.press("p")
    voting.press("ArrowLeft")
    soon(lambda: Vote.objects.exists())
    assert Vote.objects.get().views["edited"] is True


def test_undo_brings_the_last_pair_back_and_the_next_vote_counts(voting: Voting) -> None:
    voting.open()
    first = voting.comparison.pk
    voting.press("ArrowLeft")
    soon(lambda: Vote.objects.count() == 1)
    voting.press("z")
    assert voting.comparison.pk == first
    soon(lambda: Vote.objects.filter(undone_at__isnull=False).count() == 1)
    voting.press("ArrowRight")
    soon(lambda: Vote.objects.filter(comparison=first, choice="right", is_counted=True).exists())


def test_votes_made_offline_are_kept_and_sent(voting: Voting, page: Page, complaints: list[str]) -> None:
    voting.open()
    first = voting.comparison.pk
    page.context.set_offline(True)
    voting.press("ArrowLeft")
    page.wait_for_selector('#save-state[data-state="offline"]')
    assert not Vote.objects.exists()
    page.context.set_offline(False)
    soon(lambda: Vote.objects.filter(comparison=first).exists())
    complaints[:] = [line for line in complaints if "ERR_INTERNET_DISCONNECTED" not in line]


def test_criteria_are_optional_and_stored(voting: Voting) -> None:
    page = voting.open().page
    page.get_by_text("Why", exact=True).click()
    page.locator('input[name="edges"][value="right"]').check()
    page.locator("#right").click()
    soon(lambda: Vote.objects.exists())
    assert Vote.objects.get().criteria == {"edges": "right"}
    assert page.locator('input[name="edges"]:checked').count() == 0


def test_without_pairs_the_page_says_what_is_missing(page: Page, project: Project, bob: Any, sign_in: Any) -> None:
    sign_in(bob)
    page.goto(f"/projects/{project.slug}/compare/")
    page.wait_for_selector("text=No pairs for you now")


def test_a_phone_shows_both_layers_and_all_four_votes(voting: Voting) -> None:
    page = voting.page
    page.set_viewport_size({"width": 360, "height": 740})
    try:
        voting.open()
        top, bottom = (page.locator(f"#{side}-pane").bounding_box() or {} for side in ("left", "right"))
        assert top["y"] + top["height"] <= bottom["y"] + 2
        assert min(top["height"], bottom["height"]) > 120
        for choice in ("left", "right", "tie", "both_bad"):
            box = page.locator(f"#{choice}").bounding_box() or {}
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
            assert box["y"] + box["height"] <= 740
            assert box["height"] >= 44
        assert page.locator("#left").inner_text() == "Top is better"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        shown = voting.comparison
        page.locator("#right").click()
        soon(lambda: Vote.objects.filter(comparison=shown, choice="right").exists())
    finally:
        page.set_viewport_size({"width": 1440, "height": 900})
