"""Judging with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from annotation.models import Slot, Verdict
from engine.models import Layer, LayerStatus, Project
from tests.browser.reviewing import Reviewing, decisions, eventually, fill_queue

LISTED = {"Space", "Backspace", "Esc", "⇧B", "⇧1", "⇧←", "⇧→", "⇧↑", "⇧↓", *"AXQMZFN12345678BWOLCRE,.PSHV0+-↑↓?"}


PRESS_FOR_A_MOMENT = """() => new Promise((done) => {
    const start = performance.now();
    const press = () => {
        if (performance.now() - start > 140) return done();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyA", bubbles: true, cancelable: true }));
        setTimeout(press, 10);
    };
    press();
})"""
"""Again and again, from inside the page: a press from here may take longer than the moment itself."""


@pytest.fixture
def reviewing(page: Page, project: Project, bob: Any, sign_in: Callable[[Any], None]) -> Reviewing:
    fill_queue(project, 4)
    sign_in(bob)
    return Reviewing(page, project).open()


def test_accept_reject_and_unsure_by_key_reach_the_database(reviewing: Reviewing) -> None:
    for key in ("a", "x", "Space"):
        reviewing.decide(key)
    eventually(lambda: decisions() == ["accept", "reject", "unsure"])
    reviewing.wait_for_state("saved")
    assert all(Verdict.objects.values_list("active_ms", flat=True))


def test_undo_shows_the_layer_again_and_the_second_decision_counts(reviewing: Reviewing) -> None:
    first = reviewing.item
    reviewing.decide("a")
    eventually(lambda: decisions() == ["accept"])
    reviewing.decide("z")
    assert reviewing.item == first
    reviewing.decide("x")
    eventually(lambda: decisions() == ["reject"])
    assert Verdict.objects.get(is_counted=True).decision == "reject"
    assert Verdict.objects.count() == 2


def test_undo_goes_back_item_by_item(reviewing: Reviewing) -> None:
    seen = []
    for key in ("a", "x", "a"):
        seen.append(reviewing.item)
        reviewing.decide(key)
    eventually(lambda: decisions() == ["accept", "reject", "accept"])
    for item in reversed(seen):
        reviewing.decide("z")
        assert reviewing.item == item
    eventually(lambda: decisions() == [])
    expect(reviewing.page.locator("#undo")).to_be_disabled()


def test_undo_reaches_back_behind_a_reload(reviewing: Reviewing) -> None:
    first = reviewing.item
    reviewing.decide("a")
    eventually(lambda: decisions() == ["accept"])
    reviewing.open()
    reviewing.decide("Backspace")
    assert reviewing.item == first
    eventually(lambda: decisions() == [])


def test_a_key_that_is_held_down_decides_once(reviewing: Reviewing) -> None:
    first = reviewing.item
    reviewing.page.keyboard.down("a")
    reviewing.page.wait_for_function("first => document.body.dataset.judging !== first", arg=first)
    for _ in range(3):
        reviewing.page.wait_for_timeout(100)
        reviewing.page.keyboard.down("a")
    reviewing.page.keyboard.up("a")
    reviewing.wait_for_state("saved")
    assert decisions() == ["accept"]


def test_two_presses_within_a_moment_are_one_decision(reviewing: Reviewing) -> None:
    reviewing.page.evaluate(PRESS_FOR_A_MOMENT)
    reviewing.wait_for_state("saved")
    assert decisions() == ["accept"]


def test_typing_a_note_decides_nothing_and_the_note_goes_with_the_decision(reviewing: Reviewing) -> None:
    first = reviewing.item
    reviewing.page.keyboard.press("n")
    reviewing.page.keyboard.type("xaz 12?")
    assert reviewing.item == first
    reviewing.page.keyboard.press("Escape")
    reviewing.decide("x")
    eventually(lambda: decisions() == ["reject"])
    assert Verdict.objects.get().note == "xaz 12?"


def test_a_flag_goes_with_the_note_for_the_curator(reviewing: Reviewing) -> None:
    reviewing.page.keyboard.press("f")
    expect(reviewing.page.locator("#flag")).to_have_attribute("aria-pressed", "true")
    reviewing.page.fill("#note", "whose hand is this?")
    reviewing.page.keyboard.press("Escape")
    reviewing.decide("a")
    expect(reviewing.page.locator("#flag")).to_have_attribute("aria-pressed", "false")
    eventually(lambda: decisions() == ["accept"])
    assert Verdict.objects.get().note == "⚑ whose hand is this?"


def test_a_broken_picture_is_said_by_key_and_is_neither_accepted_nor_rejected(reviewing: Reviewing) -> None:
    layer_id = Slot.objects.get(pk=reviewing.item).layer_id
    reviewing.decide("q")
    eventually(lambda: decisions() == ["broken"])
    assert not Verdict.objects.get().is_counted
    assert Layer.objects.get(pk=layer_id).status == LayerStatus.READY


def test_m_opens_the_layer_on_the_screen_for_mending(reviewing: Reviewing) -> None:
    layer_id = Slot.objects.get(pk=reviewing.item).layer_id
    reviewing.page.keyboard.press("m")
    reviewing.page.wait_for_url(f"**/layers/{layer_id}/repair/", wait_until="networkidle")


def test_a_defect_key_and_a_click_pin_the_defect_in_source_pixels(reviewing: Reviewing) -> None:
    page = reviewing.page
    page.keyboard.press("3")
    box = page.locator("#layer-pane").bounding_box() or {}
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.press("7")
    expect(page.locator("#photo-pane .pin")).to_have_text(["3"])
    reviewing.decide("x")
    eventually(lambda: decisions() == ["reject"])
    assert Verdict.objects.get().defects == [
        {"kind": "bleed", "x": 80, "y": 60},
        {"kind": "invented", "x": None, "y": None},
    ]


def test_each_defect_has_its_key_and_escape_leaves_it_without_a_place(reviewing: Reviewing) -> None:
    page = reviewing.page
    for number in range(1, 9):
        page.keyboard.press(str(number))
        expect(page.locator(f"#defect-{number}")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#defect-8")).to_have_class("armed")
    page.keyboard.press("Escape")
    expect(page.locator("#defect-8")).not_to_have_class("armed")
    page.keyboard.press("Numpad3")
    expect(page.locator("#defect-3")).to_have_attribute("aria-pressed", "false")
    reviewing.decide("x")
    eventually(lambda: decisions() == ["reject"])
    assert [defect["x"] for defect in Verdict.objects.get().defects] == [None] * 7


def test_keys_zoom_out_and_pan_every_way(reviewing: Reviewing) -> None:
    page = reviewing.page
    page.keyboard.press("Shift+Digit1")
    for _ in range(6):
        page.keyboard.press("=")

    def place() -> tuple[float, float, float]:
        box = page.locator("#layer-pane .pane-world").bounding_box() or {}
        return box["x"], box["y"], box["width"]

    for key, axis, is_more in (("Left", 0, True), ("Right", 0, False), ("Up", 1, True), ("Down", 1, False)):
        before = place()
        page.keyboard.press(f"Shift+Arrow{key}")
        eventually(lambda before=before, axis=axis: place()[axis] != before[axis])
        assert (place()[axis] > before[axis]) is is_more
    before = place()
    page.keyboard.press("-")
    eventually(lambda: place()[2] < before[2])


def test_nothing_is_decided_before_the_picture_is_on_the_screen(
    page: Page, project: Project, bob: Any, sign_in: Callable[[Any], None]
) -> None:
    fill_queue(project, 1)
    sign_in(bob)
    held: list[Route] = []
    page.route("**/media/**", lambda route: held.append(route))
    page.goto(f"/projects/{project.slug}/review/")
    page.wait_for_selector(".veil[data-kind=loading]")
    page.keyboard.press("a")
    page.route("**/media/**", lambda route: route.continue_())
    for route in held:
        route.continue_()
    page.wait_for_selector("body[data-judging]")
    expect(page.locator("#save-state")).to_have_attribute("data-state", "saved")
    assert decisions() == []


def test_the_sheet_lists_exactly_the_bound_keys(reviewing: Reviewing) -> None:
    page = reviewing.page
    page.keyboard.press("?")
    shown = {text.replace(" ", "") for text in page.locator("#key-sheet .key-sheet kbd").all_inner_texts()}
    assert shown == LISTED
    page.keyboard.press("Escape")
    expect(page.locator("#key-sheet")).to_have_count(0)
    announced = page.evaluate(
        "[...document.querySelectorAll('[aria-keyshortcuts]')].flatMap((n) => n.ariaKeyShortcuts.split(' '))"
    )
    assert {name.replace("Shift+", "⇧") for name in announced} <= shown
    Slot.objects.all().delete()
    Project.objects.get().layers.all().delete()
    page.reload()
    page.wait_for_selector(".veil[data-kind=message]")
    bound = page.evaluate(
        """() => {
            const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => [`Key${letter}`, letter]);
            const digits = [..."0123456789"].map((digit) => [`Digit${digit}`, digit]);
            const plain = [...letters, ...digits];
            const shifted = plain.map(([code, name]) => [code, `⇧${name}`, true]);
            const codes = [...plain.map((key) => [...key, false]), ...shifted];
            return codes.filter(([code, , shiftKey]) => {
                const event = new KeyboardEvent("keydown", { code, shiftKey, bubbles: true, cancelable: true });
                return !document.body.dispatchEvent(event);
            }).map(([, name]) => name);
        }"""
    )
    assert set(bound) - {"N"} == {name for name in LISTED if name.removeprefix("⇧").isalnum() and len(name) < 3} - {"N"}


def test_tab_reaches_every_verb_and_matte(reviewing: Reviewing) -> None:
    page = reviewing.page
    reviewing.decide("a")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.value"))
    assert {
        "accept",
        "reject",
        "unsure",
        "broken",
        "mend",
        "undo",
        "flag",
        "note",
        "original",
        "lift",
        "view-stack",
        "view-residual",
        "view-edge",
        "ruby",
        "defect-8",
        "zoom",
    } <= reached
