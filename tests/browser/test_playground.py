"""The playground end to end: a person points, a worker's own task answers in a thread, the layer is on the screen."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from engine.imaging import decode_png, encode_png, rle_to_mask, sha256
from engine.models import Layer, Project, SourceImage
from engine.services.files import store
from tests.browser.test_accessibility import faults
from tests.factories import make_image, make_picture
from training import predictors, tasks
from training.models import Prediction
from training.services import predictions

Take = Callable[[Page, str], None]
SLOW_MS = 90_000
DROP = """([base64, name]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type: "image/png" }));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def photo(project: Project) -> SourceImage:
    """A yellow disc of radius 40 around (110, 90) on noisy blue, 200 x 160 px."""
    rows, columns = np.mgrid[:160, :200] + 0.5
    disc = np.hypot(columns - 110, rows - 90) < 40
    pixels = np.where(disc[..., None], (230, 200, 30), (40, 60, 190)) + np.random.default_rng(0).normal(
        0, 3, (160, 200, 3)
    )
    made = make_image(project, width=200, height=160)
    png = encode_png(np.clip(pixels, 0, 255).astype(np.uint8))
    made.picture, made.sha256 = store("pictures", png, "png"), sha256(png)
    made.save()
    return made


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answers as a worker does: woken by the doorbell, claiming from the database, in a thread of its own."""
    bell, is_over = threading.Event(), threading.Event()
    monkeypatch.setattr(predictions, "ring_for_answers", bell.set)

    def work() -> None:
        try:
            while bell.wait() and not is_over.is_set():
                bell.clear()
                tasks.predict()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    is_over.set()
    bell.set()
    thread.join()


@pytest.fixture
def playing(page: Page, photo: SourceImage, worker: None, alice: Any, sign_in: Callable[[Any], None]) -> Page:
    sign_in(alice)
    page.emulate_media(color_scheme="light")
    page.set_default_timeout(SLOW_MS)
    page.goto(f"/projects/{photo.project.slug}/playground/")
    page.wait_for_selector("body[data-playing]")
    return page


def at(page: Page, x: float, y: float, pane: str = "#photo-pane") -> tuple[float, float]:
    box = page.locator(f"{pane} .pane-world").bounding_box() or {}
    return box["x"] + x / 200 * box["width"], box["y"] + y / 160 * box["height"]


def answered(page: Page, number: int) -> None:
    page.wait_for_function("number => document.body.dataset.answered === String(number)", arg=number, timeout=SLOW_MS)


def test_points_boxes_and_the_background_become_layers_that_can_be_moved_compared_and_taken_home(
    playing: Page, screenshot: Take, tmp_path: Path
) -> None:
    page = playing
    expect(page.locator("#words")).to_contain_text("A small network")
    expect(page.locator("#first")).to_have_value(predictors.DEFAULT)

    page.keyboard.press("b")
    page.mouse.move(*at(page, 68, 48))
    page.mouse.down()
    page.mouse.move(*at(page, 152, 132), steps=4)
    page.mouse.up()
    answered(page, 1)
    made = Prediction.objects.get()
    assert made.prompt["box"] == pytest.approx([68, 48, 152, 132], abs=1)
    assert made.area_share is not None
    assert 0.05 < made.area_share < 0.3  # the disc is 0.157 of the photo

    page.get_by_label("Beside it").select_option("cpu")
    answered(page, 2)
    expect(page.locator("#other-pane .caption b")).to_have_text("cpu")
    screenshot(page, "playground-one-layer")
    page.keyboard.press("g")
    answered(page, 4)
    expect(page.locator("#layers .name b")).to_have_text(["Box 1", "Background"])
    assert Prediction.objects.filter(prompt__kind="background").exclude(prompt__mask=None).count() == 2

    page.locator("#layers .name").first.click()
    page.keyboard.press("d")
    page.mouse.move(*at(page, 110, 90, "#answer-pane"))
    page.mouse.down()
    page.mouse.move(*at(page, 130, 80, "#answer-pane"), steps=4)
    page.mouse.up()
    page.keyboard.press("Shift+ArrowRight")
    moved = page.locator("#answer-pane .pane-world img").last
    assert "translate(2" in (moved.get_attribute("style") or "")

    screenshot(page, "playground-light")
    found = faults(page)
    page.get_by_role("button", name="Switch theme").click()
    found += faults(page)
    screenshot(page, "playground-dark")
    assert not found, "\n".join(found)

    page.get_by_role("button", name="Hide Box 1").click()
    expect(page.locator("#answer-pane .caption").first).to_contain_text("1 layer")
    page.keyboard.press("PageDown")
    expect(page.locator("#layers .name b")).to_have_text(["Background", "Box 1"])
    for name, ending in (("PSD", "psd"), ("OpenRaster", "ora")):
        with page.expect_download() as document:
            page.get_by_role("button", name=name).click()
        assert document.value.suggested_filename == f"layers.{ending}"
    with page.expect_download() as download:
        page.get_by_role("link", name="PNG by cpu").click()
    download.value.save_as(tmp_path / "layer.png")
    assert decode_png((tmp_path / "layer.png").read_bytes()).shape == (160, 200, 4)


def test_everything_goes_by_keyboard_and_a_text_alone_is_answered_in_words(
    playing: Page, complaints: list[str]
) -> None:
    page = playing
    page.locator("#photo-pane").focus()
    page.keyboard.press("c")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    answered(page, 1)
    assert len(Prediction.objects.get().prompt["points"]) == 1
    page.keyboard.press("Enter")
    expect(page.locator("#keep")).to_be_disabled()
    page.keyboard.press("t")
    page.keyboard.type("the yellow disc")
    page.keyboard.press("Enter")
    expect(page.locator("#layers li").first).to_contain_text("reads no text")
    complaints.clear()  # the browser reports the refusal, too
    page.keyboard.press("z")
    expect(page.locator("#layers li")).to_have_count(1)


def stroke(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*at(page, *place), steps=3)
    page.mouse.up()


def test_a_painted_object_is_saved_into_the_project_and_all_layers_are_taken_home_as_one_png(
    playing: Page, alice: Any, tmp_path: Path, screenshot: Take
) -> None:
    page = playing
    page.keyboard.press("p")
    page.locator("#size").fill("30")
    stroke(page, (90, 75), (130, 75), (90, 100), (130, 100))
    answered(page, 1)
    made = Prediction.objects.get()
    assert made.prompt["kind"] == "mask"
    painted = rle_to_mask(made.prompt["mask"])
    assert painted[75, 110]
    assert not painted[20, 20]
    page.keyboard.press("e")
    stroke(page, (80, 100), (140, 100))
    page.wait_for_function("() => document.body.dataset.answered === '1'", timeout=SLOW_MS)
    expect(page.locator("#layers .name b")).to_have_text(["Paint 1"])
    page.keyboard.press("z")  # the eraser's stroke is taken back
    page.keyboard.press("Enter")

    page.keyboard.press("g")
    expect(page.locator("#layers li")).to_have_count(2)
    answered(page, 2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Merged PNG").click()
    download.value.save_as(tmp_path / "layers.png")
    merged = decode_png((tmp_path / "layers.png").read_bytes())
    assert merged.shape == (160, 200, 4)
    assert (merged[..., 3] == 255).all()  # the background lies behind all

    page.locator("#layers .name").first.click()
    expect(page.locator("#save")).to_be_visible()
    page.keyboard.press("s")  # it has no name yet
    expect(page.locator("#label")).to_be_focused()
    page.keyboard.type("yellow disc")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("yellow disc is a layer of the project now")
    expect(page.locator("#save button")).to_be_disabled()
    expect(page.locator("#layers li").first).to_contain_text("saved")
    screenshot(page, "playground-saved")
    layer = Layer.objects.get()
    assert (layer.label, layer.author, layer.depth, layer.status) == ("yellow disc", alice, 0, "ready")
    assert layer.prompts.get().kind == "mask"


def test_a_photo_that_is_chosen_or_dropped_lies_on_the_table_and_a_broken_file_is_named(
    playing: Page, tmp_path: Path, complaints: list[str]
) -> None:
    page = playing
    before = page.evaluate("document.body.dataset.playing")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "chosen.png").write_bytes(encode_png(make_picture(11, 120, 90)))
    page.keyboard.press("o")
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "broken.png")
    expect(page.locator("#upload-error")).not_to_be_empty()
    complaints.clear()  # the browser reports the refusal, too
    page.locator("#upload input[type=file]").set_input_files(tmp_path / "chosen.png")
    page.wait_for_function("id => ![undefined, id].includes(document.body.dataset.playing)", arg=before)
    chosen = SourceImage.objects.get(original_name="chosen.png")
    assert page.evaluate("document.body.dataset.playing") == str(chosen.pk)
    assert page.url.endswith(f"?photo={chosen.pk}")

    dropped = base64.b64encode(encode_png(make_picture(12, 100, 80))).decode()
    page.evaluate(DROP, [dropped, "dropped.png"])
    page.wait_for_function("id => ![undefined, id].includes(document.body.dataset.playing)", arg=str(chosen.pk))
    assert SourceImage.objects.get(original_name="dropped.png").width == 100
    expect(page.locator("#layers li")).to_have_count(0)
