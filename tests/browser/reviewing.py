"""The review page as a person with a keyboard meets it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from annotation.models import Verdict
from engine.models import Project
from tests.factories import make_image, make_layer

SLIP_MS = 170
"""A little longer than the time after a decision in which the page ignores a second one."""


def fill_queue(project: Project, layers: int) -> None:
    for number in range(layers):
        make_layer(make_image(project, width=160, height=120), label=f"ball {number}")


def eventually(is_true: Callable[[], Any], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.02)


def decisions() -> list[str]:
    """What counts or was said and not taken back, oldest first."""
    verdicts = Verdict.objects.filter(undone_at=None).order_by("created_at")
    return list(verdicts.values_list("decision", flat=True))


def colour_at(page: Page, pane: str, share_x: float, share_y: float) -> tuple[int, ...]:
    """The colour on the screen at a place of the picture in a pane."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = page.locator(f"{pane} .pane-world").bounding_box() or {}
    clip = {"x": box["x"] + share_x * box["width"], "y": box["y"] + share_y * box["height"], "width": 1, "height": 1}
    return Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB").getpixel((0, 0))


class Reviewing:
    def __init__(self, page: Page, project: Project) -> None:
        self.page = page
        self.address = f"/projects/{project.slug}/review/"

    def open(self) -> Reviewing:
        self.page.goto(self.address)
        self.page.wait_for_selector("body[data-judging]")
        return self

    @property
    def item(self) -> str:
        """The assignment on the screen."""
        return self.page.wait_for_selector("body[data-judging]").get_attribute("data-judging") or ""

    def decide(self, key: str) -> None:
        """Press a key that changes the item, and wait for the next one (or none)."""
        before = self.item
        self.page.wait_for_timeout(SLIP_MS)
        self.page.keyboard.press(key)
        self.page.wait_for_function("before => document.body.dataset.judging !== before", arg=before)

    def save_state(self) -> str:
        return self.page.get_attribute("#save-state", "data-state") or ""

    def wait_for_state(self, state: str) -> None:
        self.page.wait_for_selector(f'#save-state[data-state="{state}"]')
