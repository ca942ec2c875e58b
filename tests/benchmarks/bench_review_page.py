"""The review page in Chromium: from the key press to the next item painted, and memory over a long sitting.

``pytest tests/benchmarks/bench_review_page.py -s`` prints both; ``BENCH_ITEMS`` (1000) is the length of the soak.
Times are reported and never asserted: the browser, its server and the database share the machine.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from engine.models import Project
from tests.browser.conftest import *  # noqa: F403 - the browser's fixtures
from tests.browser.reviewing import Reviewing
from tests.factories import make_image, make_layer

TIMED = 100
ITEMS = int(os.environ.get("BENCH_ITEMS", "1000"))
PHOTOS = 40
SIZE = (800, 600)
PAUSE_MS = 160
"""Between decisions, so that none falls into the time in which the page ignores a second one."""

RECORD = """() => {
    window.taken = [];
    let pressed = 0;
    addEventListener("keydown", () => { pressed = performance.now(); }, { capture: true });
    new MutationObserver(() => {
        if (document.body.dataset.judging && pressed) window.taken.push(performance.now() - pressed);
    }).observe(document.body, { attributes: true, attributeFilter: ["data-judging"] });
}"""


def fill(project: Project, layers: int) -> None:
    """``layers`` rows over a few photos: what is claimed, sent and drawn is real, the files repeat."""
    photos = [make_image(project, seed=number, width=SIZE[0], height=SIZE[1]) for number in range(min(PHOTOS, layers))]
    models = [make_layer(photo, label="ball") for photo in photos]
    copies = []
    for number in range(len(models), layers):
        copy = type(models[0]).objects.get(pk=models[number % len(models)].pk)
        copy.pk, copy.depth, copy.key = None, number, f"{number:05d}"
        copy._state.adding = True
        copies.append(copy)
    type(models[0]).objects.bulk_create(copies, batch_size=500)


def decide(page: Page, items: int) -> None:
    for _ in range(items):
        before = page.wait_for_selector("body[data-judging]").get_attribute("data-judging")
        page.wait_for_timeout(PAUSE_MS)
        page.keyboard.press("a")
        page.wait_for_function("before => document.body.dataset.judging !== before", arg=before)


def memory(context: BrowserContext, page: Page) -> dict[str, float]:
    """After a garbage collection: JavaScript heap in MB, DOM nodes and listeners."""
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return {
        "heap_mb": metrics["JSHeapUsedSize"] / 1e6,
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
    }


@pytest.fixture
def page_of(
    own_context: BrowserContext, project: Project, bob: Any, sign_in: Callable[..., None]
) -> Callable[..., Page]:
    def opened(items: int) -> Page:
        fill(project, items + 5)
        sign_in(bob, own_context)
        page = own_context.new_page()
        page.set_default_timeout(20_000)
        Reviewing(page, project).open()
        return page

    return opened


def test_from_the_key_press_to_the_next_item_painted(page_of: Callable[..., Page]) -> None:
    page = page_of(TIMED)
    page.evaluate(RECORD)
    decide(page, TIMED)
    taken = sorted(page.evaluate("window.taken"))
    result = {
        "items": len(taken),
        "median_ms": round(statistics.median(taken), 1),
        "p95_ms": round(taken[int(0.95 * len(taken))], 1),
        "max_ms": round(taken[-1], 1),
    }
    print("\nkey press to next item painted", json.dumps(result))
    assert len(taken) >= TIMED - 1


def test_memory_over_a_long_sitting(page_of: Callable[..., Page], own_context: BrowserContext) -> None:
    page = page_of(ITEMS)
    decide(page, min(60, ITEMS // 2))  # the undo history is full and caches are warm
    before = memory(own_context, page)
    decide(page, ITEMS - min(60, ITEMS // 2))
    after = memory(own_context, page)
    growth = {name: round(after[name] - before[name], 2) for name in after}
    print(
        f"\nover {ITEMS} items, {SIZE[0]}x{SIZE[1]}:", json.dumps({"before": before, "after": after, "growth": growth})
    )
    assert growth["heap_mb"] < 50
