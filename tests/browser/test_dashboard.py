"""The dashboard in a real browser: charts are drawn, themes and ranges change, the page renews itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import GoldItem, Slot, Verdict
from engine.models import Project
from tests.browser.test_accessibility import faults
from tests.engine.runs import make_run, make_worker
from tests.frontend.working_days import fill


@pytest.fixture
def busy(project: Project, alice: Any, sign_in: Callable[[Any], None]) -> Project:
    cache.clear()
    fill(project)
    sign_in(alice)
    return project


def board(page: Page, project: Project, query: str = "") -> None:
    page.goto(f"/projects/{project.slug}/dashboard/{query}")
    expect(page.locator(".uplot canvas")).to_have_count(2)


def answer_gold(project: Project) -> None:
    """Everybody but the first is right about most of 20 known layers."""
    layers = list(project.layers.filter(status="accepted")[:20])
    for layer in layers:
        GoldItem.objects.create(project=project, layer=layer, is_acceptable=True, origin="truth")
    users = list(get_user_model().objects.exclude(username="alice").order_by("pk"))
    for number, user in enumerate(users):
        for turn, layer in enumerate(layers):
            probe = Slot.objects.create(
                project=project,
                layer=layer,
                purpose="gold",
                status="filled",
                available_at=timezone.now(),
                random_key=0.5,
            )
            is_wrong = turn % (3 if number == 4 else 11) == number % 3
            Verdict.objects.create(
                project=project,
                layer=layer,
                slot=probe,
                annotator=user,
                decision="reject" if is_wrong else "accept",
                client_id=f"gold-{layer.pk}",
                active_ms=4000 + 300 * number,
                is_counted=False,
            )


def test_the_dashboard_of_a_busy_project(
    page: Page, busy: Project, settings: Any, screenshot: Callable[[Page, str], None]
) -> None:
    """All that is in it, in both themes; what is drawn is looked at by people, the rest is checked here."""
    answer_gold(busy)
    make_run(busy, pictures=2)
    make_worker("gpu-0")
    board(page, busy)
    expect(page.locator("#people tbody tr")).to_have_count(6)
    expect(page.locator("#people .gold-interval")).to_have_count(6)
    expect(page.get_by_text("hidden checks")).to_be_visible()
    page.wait_for_load_state("networkidle")
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.wait_for_timeout(300)  # colours change over 140 ms
        screenshot(page, f"dashboard-{theme}")
        page.set_viewport_size({"width": 1440, "height": 1720})
        page.wait_for_timeout(200)
        screenshot(page, f"dashboard-{theme}-full")
        page.set_viewport_size({"width": 1440, "height": 900})
        assert faults(page) == []


def test_pointing_at_a_column_tells_its_numbers(page: Page, busy: Project) -> None:
    board(page, busy, "?range=project")
    box = page.locator("#throughput .u-over").bounding_box()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 80)
    hint = page.locator("#throughput .hint")
    expect(hint).to_contain_text("Mira Okafor")
    expect(hint).to_contain_text("All")
    page.mouse.move(10, 10)
    expect(hint).to_be_hidden()


def test_the_range_changes_the_charts(page: Page, busy: Project) -> None:
    board(page, busy)
    expect(page.get_by_role("heading", name="Decisions per hour")).to_be_visible()
    page.get_by_role("navigation", name="Range").get_by_role("link", name="7 days").click()
    expect(page.get_by_role("heading", name="Decisions per day")).to_be_visible()
    page.get_by_role("navigation", name="Range").get_by_role("link", name="Project").click()
    expect(page.locator("#figures")).to_contain_text("1\u202f200")


def test_a_recall_is_explained_before_it_is_done(
    page: Page, busy: Project, screenshot: Callable[[Page, str], None]
) -> None:
    board(page, busy, "?range=project")
    page.get_by_role("button", name="Act on Jonas Lind").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Others judge those layers")
    expect(dialog.get_by_role("button", name="Release")).to_be_disabled()
    screenshot(page, "dashboard-acts")
    counted = Verdict.objects.filter(annotator__username="jonas", is_counted=True)
    before = counted.count()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert counted.count() == before
    page.get_by_role("button", name="Act on Jonas Lind").click()
    dialog.get_by_role("button", name="Recall").click()
    expect(page.get_by_role("status")).to_contain_text(f"{before} decisions of Jonas Lind are taken back")
    assert counted.count() == 0


def test_tables_open_with_the_keyboard(page: Page, busy: Project) -> None:
    board(page, busy)
    page.locator("#defects-table summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#defects-table table")).to_be_visible()


def test_the_dashboard_on_a_phone(page: Page, busy: Project, screenshot: Callable[[Page, str], None]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    board(page, busy)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    screenshot(page, "dashboard-phone")
