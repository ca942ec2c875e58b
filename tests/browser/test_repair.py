"""Mending a layer with the mouse and the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from annotation.models import Rework, Slot, Verdict
from annotation.services.claims import claim
from annotation.services.slots import open_slots
from engine.composites.photographs import package_file
from engine.imaging import encode_png, sha256
from engine.measures import measure
from engine.models import Layer, LayerStatus, Project, Repair, Role
from engine.records import GivenPrompt, RGBALayer
from engine.services.files import store
from engine.services.repairs import open_repair, submit_repair
from engine.stages.scene.grabcut import cut_out
from tests.browser.reviewing import eventually
from tests.browser.test_accessibility import faults
from tests.engine.mending import KEEP, make_bitten_layer
from tests.factories import join, make_image, make_layer, make_user


class Mending:
    """The repair page; places are in pixels of the photo."""

    def __init__(self, page: Page, layer: Layer) -> None:
        self.page, self.layer = page, layer
        self.width, self.height = layer.image.width, layer.image.height

    def open(self) -> Mending:
        self.page.goto(f"/layers/{self.layer.pk}/repair/")
        self.page.wait_for_selector("body[data-mending]")
        self.wait_for_preview(0)
        return self

    @property
    def rounds(self) -> int:
        return int(self.page.get_attribute("body", "data-round") or 0)

    def wait_for_preview(self, after: int) -> None:
        self.page.wait_for_function(
            "after => Number(document.body.dataset.round ?? 0) > after"
            " && !document.querySelector('#layer-pane').classList.contains('busy')",
            arg=after,
            timeout=30_000,
        )

    def outline(self) -> str:
        return self.page.locator(".outline .contour").get_attribute("d") or ""

    def at(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.locator("#photo-pane .pane-world").bounding_box() or {}
        return box["x"] + x / self.width * box["width"], box["y"] + y / self.height * box["height"]

    def drag(self, *points: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=4)
        self.page.mouse.up()

    def draw(self, key: str, *points: tuple[float, float]) -> None:
        """Choose a tool by its key, draw, and wait for the new preview."""
        before = self.rounds
        self.page.keyboard.press(key)
        self.drag(*points)
        self.wait_for_preview(before)


@pytest.fixture
def layer(project: Project) -> Layer:
    return make_bitten_layer(project)


@pytest.fixture
def mending(page: Page, layer: Layer, bob: Any, sign_in: Callable[[Any], None]) -> Mending:
    sign_in(bob)
    return Mending(page, layer).open()


def test_a_keep_stroke_changes_the_outline_and_undo_takes_it_back(mending: Mending) -> None:
    page, before = mending.page, mending.outline()
    expect(page.locator("#submit")).to_be_disabled()
    mending.draw("k", (40, 40), (45, 40))
    mended = mending.outline()
    assert mended != before
    expect(page.locator("#marks li")).to_have_text(["Keep"])
    rounds = mending.rounds
    page.keyboard.press("z")
    mending.wait_for_preview(rounds)
    assert mending.outline() == before
    page.keyboard.press("Shift+Z")
    mending.wait_for_preview(rounds + 1)
    assert mending.outline() == mended


def test_a_new_version_is_handed_in_that_others_judge_and_bob_does_not(
    mending: Mending, project: Project, bob: Any
) -> None:
    mending.draw("k", (40, 40), (45, 40))
    mending.page.keyboard.press("Enter")
    mending.page.wait_for_selector("body[data-handed-in]", timeout=30_000)
    new = Layer.objects.get(replaces=mending.layer)
    assert (new.status, new.author, new.producer.kind) == (LayerStatus.READY, bob, "person")
    carol = make_user("carol")
    join(carol, project, Role.ANNOTATOR)
    open_slots(project)
    assert claim(user=bob, project=project) == []
    assert [slot.layer_id for slot in claim(user=carol, project=project)] == [new.pk]
    mending.page.get_by_role("link", name="Next layer").click()
    expect(mending.page.get_by_text("The queue is clear")).to_be_visible()


def test_every_tool_makes_its_mark(mending: Mending) -> None:
    page = mending.page
    mending.draw("b", (24, 12), (96, 84))
    mending.draw("x", (60, 30), (62, 30))
    mending.draw("p", (42, 40), (44, 42))
    mending.draw("e", (70, 60), (72, 60))
    expect(page.locator("#marks li")).to_have_text(["Box", "Remove", "Paint", "Erase"])
    eventually(lambda: len(Repair.objects.get().marks.get("strokes", [])) == 3)
    marks = Repair.objects.get().marks
    assert [round(side) for side in marks["box"]] == pytest.approx([24, 12, 96, 84], abs=1)
    assert [stroke["tool"] for stroke in marks["strokes"]] == ["remove", "paint", "erase"]
    assert [stroke["hardness"] for stroke in marks["strokes"]] == [1, 0.8, 0.8]
    rounds = mending.rounds
    page.get_by_role("button", name="Remove mark 2, Remove").click()
    mending.wait_for_preview(rounds)
    expect(page.locator("#marks li")).to_have_text(["Box", "Paint", "Erase"])


def test_brackets_change_the_brush(mending: Mending) -> None:
    page = mending.page
    page.keyboard.press("p")
    size = int((page.text_content("#size-px") or "").split()[0])
    page.keyboard.press("]")
    expect(page.locator("#size-px")).to_have_text(f"{size + 1} px")
    page.keyboard.press("[")
    page.keyboard.press("[")
    expect(page.locator("#size-px")).to_have_text(f"{size - 1} px")
    page.keyboard.press("Shift+BracketLeft")
    expect(page.locator("#hardness-share")).to_have_text("70 %")
    page.keyboard.press("k")
    expect(page.locator("#hardness-row")).to_be_hidden()


def test_the_draft_is_there_again_after_a_reload(mending: Mending) -> None:
    mending.draw("k", (40, 40), (45, 40))
    expect(mending.page.locator("#save-state")).to_have_attribute("data-state", "saved")
    mending.open()
    expect(mending.page.locator("#marks li")).to_have_text(["Keep"])
    assert Repair.objects.count() == 1


def test_what_is_drawn_offline_is_kept_and_saved_later(
    mending: Mending, context: BrowserContext, complaints: list[str]
) -> None:
    context.set_offline(True)
    mending.page.keyboard.press("k")
    mending.drag((40, 40), (45, 40))
    expect(mending.page.locator("#save-state")).to_have_attribute("data-state", "offline")
    assert Repair.objects.get().marks == {}
    context.set_offline(False)
    expect(mending.page.locator("#save-state")).to_have_attribute("data-state", "saved")
    assert len(Repair.objects.get().marks["strokes"]) == 1
    complaints.clear()


def test_the_keyboard_alone_draws_and_hands_in(mending: Mending) -> None:
    page, rounds = mending.page, mending.rounds
    page.keyboard.press("k")
    page.locator("#photo-pane").focus()
    for _ in range(24):
        page.keyboard.press("ArrowLeft")
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    mending.wait_for_preview(rounds)
    expect(page.locator("#marks li")).to_have_text(["Keep"])
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-handed-in]", timeout=30_000)
    assert Layer.objects.filter(replaces=mending.layer).exists()


def test_a_finger_draws_and_two_fingers_move_the_picture(mending: Mending) -> None:
    page = mending.page
    where = page.locator("#photo-pane .pane-world")
    before = where.evaluate("node => node.style.transform")
    page.keyboard.press("k")
    page.evaluate(
        """([[ax, ay], [bx, by]]) => {
            const pane = document.querySelector("#photo-pane");
            pane.setPointerCapture = () => {};
            const send = (type, pointerId, clientX, clientY) => pane.dispatchEvent(new PointerEvent(type, {
                pointerId, clientX, clientY, pointerType: "touch", isPrimary: pointerId === 1, bubbles: true }));
            send("pointerdown", 1, ax, ay);
            send("pointerdown", 2, bx, by);
            send("pointermove", 2, bx + 40, by + 40);
            send("pointermove", 2, bx + 80, by + 80);
            send("pointerup", 2, bx + 80, by + 80);
            send("pointerup", 1, ax, ay);
        }""",
        [mending.at(30, 30), mending.at(60, 60)],
    )
    expect(page.locator("#marks li")).to_have_count(0)
    page.wait_for_function(
        "before => document.querySelector('#photo-pane .pane-world').style.transform !== before", arg=before
    )


def test_who_comes_second_keeps_the_draft_and_may_take_it_along(
    mending: Mending, alice: Any, complaints: list[str]
) -> None:
    page = mending.page
    mending.draw("k", (40, 40), (45, 40))
    submit_repair(repair=open_repair(user=alice, layer=mending.layer)[0], client_id="hers", data=KEEP)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Somebody was faster")).to_be_visible()
    page.get_by_role("button", name="Take my marks to the new version").click()
    page.wait_for_url(f"**/layers/{Layer.objects.get(replaces=mending.layer).pk}/repair/")
    expect(page.locator("#marks li")).to_have_text(["Keep"])
    assert Repair.objects.filter(layer=mending.layer, status="open").exists()
    complaints.clear()


def test_the_page_shows_ones_own_pins_and_why_the_work_came_back(
    page: Page, layer: Layer, bob: Any, alice: Any, sign_in: Callable[[Any], None]
) -> None:
    slot = Slot.objects.create(
        project=layer.project, layer=layer, position=1, status="filled", available_at=timezone.now(), random_key=0.5
    )
    said = {"project": layer.project, "layer": layer, "slot": slot, "decision": "reject", "active_ms": 900}
    pin = {"kind": "hole", "x": 42, "y": 40}
    Verdict.objects.create(annotator=bob, client_id="1", is_counted=True, defects=[pin], **said)
    Verdict.objects.create(
        annotator=alice, client_id="2", is_counted=False, defects=[pin | {"kind": "halo"}, pin], **said
    )
    Rework.objects.create(
        project=layer.project,
        layer=layer,
        author=bob,
        reason="The bite is still there.",
        returned_by=alice,
        deadline_at=timezone.now(),
    )
    sign_in(bob)
    Mending(page, layer).open()
    expect(page.locator(".pin")).to_have_text(["2"])
    expect(page.locator(".returned")).to_contain_text("The bite is still there.")
    assert faults(page) == []


def test_a_superseded_layer_says_why_it_cannot_be_mended(
    page: Page, layer: Layer, bob: Any, sign_in: Callable[[Any], None], complaints: list[str]
) -> None:
    Layer.objects.update(status="superseded")
    sign_in(bob)
    page.goto(f"/layers/{layer.pk}/repair/")
    expect(page.get_by_role("heading", name="This layer cannot be mended")).to_be_visible()
    complaints.clear()


def test_strangers_find_no_such_page(
    page: Page, layer: Layer, charlie: Any, sign_in: Callable[[Any], None], complaints: list[str]
) -> None:
    sign_in(charlie)
    answer = page.goto(f"/layers/{layer.pk}/repair/")
    assert answer is not None
    assert answer.status == 404
    complaints.clear()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_how_it_looks(
    page: Page,
    project: Project,
    bob: Any,
    sign_in: Callable[[Any], None],
    screenshot: Callable[[Page, str], None],
    theme: str,
) -> None:
    layer = cup_with_a_missing_handle(project)
    sign_in(bob)
    page.add_init_script(f"localStorage.setItem('rld.theme', '{theme}')")
    mending = Mending(page, layer).open()
    screenshot(page, f"repair-start-{theme}")
    mending.draw("k", (410, 150), (440, 165))
    mending.draw("x", (130, 230), (150, 250))
    page.keyboard.press("p")
    page.mouse.move(*mending.at(300, 120))
    screenshot(page, f"repair-{theme}")
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, f"repair-phone-{theme}")
    assert faults(page) == []


def cup_with_a_missing_handle(project: Project) -> Layer:
    """A real photo; its layer misses the right of the cup and has some table on it."""
    photo = np.asarray(Image.open(package_file("coffee")).convert("RGB").resize((600, 400)))
    image = make_image(project, width=600, height=400)
    image.picture = store("pictures", encode_png(photo), "png")
    image.original_name = "coffee.png"
    image.save()
    mask = cut_out(photo, GivenPrompt("", (95.0, 20.0, 480.0, 330.0)), 0)
    mask[100:230, 380:] = False
    bleed = np.zeros(mask.shape, np.uint8)
    cv2.ellipse(bleed, (140, 240), (50, 40), 0, 0, 360, 1, cv2.FILLED)
    mask |= bleed.astype(bool)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)
    rgba = np.dstack([photo, np.rint(255 * alpha).astype(np.uint8)])
    png = encode_png(rgba)
    layer = make_layer(image, label="cup")
    layer.sha256, layer.rgba = sha256(png), store("layers", png, "png")
    layer.visible_mask = store("masks", encode_png(mask), "png")
    measured = measure(RGBALayer(rgba, mask))
    layer.area_share, layer.soft_share = measured.area_share, measured.soft_share
    layer.save()
    return layer
