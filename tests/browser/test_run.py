"""The run page in a real browser: it follows a live run by itself, and leads from numbers to pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from engine.demo.photographs import demo_photographs
from engine.models import EngineRun, ItemStatus, LayerStatus, Project, RunStatus
from engine.services.images import import_image
from engine.services.layers import set_layer_status
from engine.services.leases import register_worker
from engine.services.work import batches
from tests.engine.runs import give, make_run, make_worker, report
from tests.factories import make_image

SOON_MS = 8000


@pytest.fixture
def run(project: Project, alice: Any, sign_in: Callable[[Any], None]) -> EngineRun:
    sign_in(alice)
    make_worker("cpu-0")
    return make_run(project, pictures=3)


def stage_row(page: Page, stage: str) -> Any:
    return page.locator(f'.funnel-row[data-stage="{stage}"]')


def test_the_page_follows_a_live_run_by_itself(page: Page, run: EngineRun) -> None:
    page.goto(f"/runs/{run.id}/")
    expect(stage_row(page, "prefilter")).to_contain_text("0 photos")
    first, second, third = run.items.order_by("created_at")
    report(first, "prefilter", outcome="dropped", reason="blurred")
    report(second, "prefilter")
    expect(stage_row(page, "prefilter")).to_contain_text("1 photo", timeout=SOON_MS)
    expect(page.get_by_role("link", name="blurred 1")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(2)
    report(third, "prefilter")
    run.items.update(status=ItemStatus.FINISHED)
    EngineRun.objects.filter(pk=run.pk).update(status=RunStatus.FINISHED, finished_at=timezone.now())
    expect(page.get_by_text("Finished", exact=False).first).to_be_visible(timeout=SOON_MS)
    expect(stage_row(page, "prefilter")).to_contain_text("2 photos")


def test_a_finished_run_is_not_asked_again(page: Page, run: EngineRun) -> None:
    run.items.update(status=ItemStatus.FINISHED)
    EngineRun.objects.filter(pk=run.pk).update(status=RunStatus.FINISHED, finished_at=timezone.now())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/runs/" in request.url else None)
    page.goto(f"/runs/{run.id}/")
    page.wait_for_timeout(1800)
    assert asked == []


def test_what_people_opened_stays_open_while_the_page_is_renewed(page: Page, run: EngineRun) -> None:
    page.goto(f"/runs/{run.id}/")
    page.get_by_text("Recipe as JSON").click()
    report(run.items.first(), "prefilter")
    expect(stage_row(page, "prefilter")).to_contain_text("1 photo", timeout=SOON_MS)
    expect(page.locator("#recipe-json pre")).to_be_visible()


def test_an_alarm_tells_of_a_silent_worker(
    page: Page, run: EngineRun, settings: Any, screenshot: Callable[[Page, str], None]
) -> None:
    give(run.items.first(), make_worker("cpu-3", silent_s=settings.LEASE_S + 30))
    page.goto(f"/runs/{run.id}/")
    expect(page.get_by_role("alert")).to_contain_text("cpu-3 has sent no heartbeat")
    screenshot(page, "run-silent-worker")


def test_without_an_answer_the_page_says_so_and_goes_on(page: Page, run: EngineRun, complaints: list[str]) -> None:
    page.goto(f"/runs/{run.id}/")
    page.route("**/api/runs/**", lambda route: route.abort())
    expect(page.get_by_text("No answer, trying again")).to_be_visible(timeout=SOON_MS)
    page.unroute("**/api/runs/**")
    expect(page.get_by_text("No answer, trying again")).to_have_count(0, timeout=SOON_MS)
    complaints[:] = [text for text in complaints if "ERR_FAILED" not in text]


def test_a_number_leads_to_its_pictures_and_on_to_all_stages_of_one(page: Page, run: EngineRun) -> None:
    for item in run.items.all():
        report(item, "prefilter", outcome="dropped", reason="blurred")
    page.goto(f"/runs/{run.id}/")
    page.get_by_role("link", name="blurred 3").click()
    expect(page.locator(".tile")).to_have_count(3)
    name = run.items.first().image.original_name
    page.locator(".tile", has_text=name).locator(".picture").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("Not reached.")).to_have_count(5)


def test_cancelling_asks_the_server_and_shows_it(page: Page, run: EngineRun) -> None:
    page.goto(f"/runs/{run.id}/")
    page.get_by_role("button", name="Cancel run").click()
    expect(page.get_by_text("Cancelled. Pictures in work")).to_be_visible()
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_from_photographs_to_the_funnel(
    page: Page, project: Project, alice: Any, sign_in: Callable[[Any], None], screenshot: Callable[[Page, str], None]
) -> None:
    """The real engine over real photographs, started with the button; the page is open all the while."""
    sign_in(alice)
    for photograph in demo_photographs():
        if photograph.name in ("chelsea", "coffee"):
            import_image(
                project=project,
                data=photograph.read_bytes(),
                name=photograph.path.name,
                given=photograph.given,
                credit=photograph.credit,
            )
    make_image(project)
    page.goto(f"/projects/{project.slug}/")
    page.get_by_role("button", name="Start run").click()
    page.wait_for_url("**/runs/**")
    for _ in batches(register_worker("cpu"), "cpu"):
        pass
    expect(page.get_by_text("Finished", exact=False).first).to_be_visible(timeout=SOON_MS)
    run = EngineRun.objects.get()
    layers = list(project.layers.filter(status=LayerStatus.READY).order_by("sha256"))
    for layer in layers[::2]:
        set_layer_status(layer.id, expected=LayerStatus.READY, status=LayerStatus.ACCEPTED)
    page.reload()
    expect(stage_row(page, "prefilter")).to_contain_text("2 photos")
    expect(page.get_by_role("link", name="too small 1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.wait_for_timeout(300)  # colours change over 140 ms
        screenshot(page, f"run-{theme}")
    page.locator("#pictures").scroll_into_view_if_needed()
    screenshot(page, "run-pictures")
    page.goto(f"/runs/{run.id}/pictures/{run.items.get(image__original_name__startswith='coffee').id}/")
    page.wait_for_load_state("networkidle")
    screenshot(page, "run-one-picture")
    page.goto(f"/projects/{project.slug}/")
    page.wait_for_load_state("networkidle")
    screenshot(page, "project")
