"""The main job, as a person does it: sign in, upload, run, judge with keys, look at the funnel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.demo.photographs import DemoPhotograph, demo_photographs
from engine.models import EngineRun, Layer, LayerStatus, Project
from engine.services.leases import register_worker
from engine.services.work import batches
from tests.browser.reviewing import Reviewing, decisions, eventually


@pytest.fixture
def photograph() -> DemoPhotograph:
    return next(photo for photo in demo_photographs() if photo.name == "chelsea")


@pytest.fixture
def upload(photograph: DemoPhotograph, tmp_path: Path) -> tuple[Path, Path]:
    """The cat's photograph and its box in COCO JSON."""
    x0, y0, x1, y1 = photograph.given[0].box or (0, 0, 0, 0)
    height, width = photograph.image_hwc.shape[:2]
    coco = {
        "images": [{"id": 1, "file_name": photograph.path.name, "width": width, "height": height}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0]}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(coco))
    return photograph.path, tmp_path / "boxes.json"


def test_from_a_photograph_to_accepted_layers(
    page: Page,
    project: Project,
    alice: Any,
    upload: tuple[Path, Path],
    screenshot: Callable[[Page, str], None],
) -> None:
    photo, boxes = upload
    page.goto("/")
    page.fill("input[name=username]", "alice")
    page.fill("input[name=password]", "correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Alice")

    page.goto(f"/projects/{project.slug}/")
    page.set_input_files("input[name=annotations]", boxes)
    page.set_input_files("input[name=files]", photo)
    expect(page.locator(".summary")).to_have_text("1 stored")

    page.get_by_role("button", name="Start run").click()
    page.wait_for_url("**/runs/*/")
    run = EngineRun.objects.get()
    list(batches(register_worker("cpu"), "cpu"))
    expect(page.locator("main")).to_contain_text("Finished", timeout=10_000)

    waiting = Layer.objects.filter(status=LayerStatus.READY)
    labels = set(waiting.values_list("label", flat=True))
    assert labels == {"cat", "background"}

    reviewing = Reviewing(page, project).open()
    screenshot(page, "journey-review")
    first = reviewing.item
    reviewing.decide("a")
    assert reviewing.item != first
    page.wait_for_timeout(200)
    page.keyboard.press("x")
    eventually(lambda: decisions() == ["accept", "reject"])
    eventually(lambda: not waiting.exists())
    assert Layer.objects.filter(status=LayerStatus.ACCEPTED).count() == 1

    page.goto(f"/runs/{run.id}/")
    expect(page.locator("main")).to_contain_text("Post-filter")
    expect(page.locator("main")).to_contain_text("Accepted by people")
    expect(page.locator("main")).to_contain_text("50.0 %")
    screenshot(page, "journey-funnel")
