"""No decision is lost: offline, reload, lost leases, lost sessions, broken pictures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from annotation.models import Slot, SlotStatus, Verdict
from annotation.services.gold import make_gold
from engine.models import Project, Role
from tests.browser.reviewing import SLIP_MS, Reviewing, decisions, eventually, fill_queue
from tests.factories import join, make_user


@pytest.fixture
def reviewing(page: Page, project: Project, bob: Any, sign_in: Callable[[Any], None]) -> Reviewing:
    fill_queue(project, 3)
    sign_in(bob)
    return Reviewing(page, project).open()


def test_offline_keeps_the_decisions_and_coming_back_saves_them_in_order(
    reviewing: Reviewing, context: BrowserContext, complaints: list[str]
) -> None:
    reviewing.page.wait_for_load_state("networkidle")
    context.set_offline(True)
    reviewing.decide("a")
    reviewing.decide("x")
    reviewing.wait_for_state("offline")
    expect(reviewing.page.locator("#save-state")).to_have_text("Offline, 2 kept here")
    expect(reviewing.page.locator("#connection")).to_contain_text("2 decisions kept in this browser")
    assert decisions() == []
    context.set_offline(False)
    reviewing.wait_for_state("saved")
    assert decisions() == ["accept", "reject"]
    assert all("ERR_INTERNET_DISCONNECTED" in text for text in complaints)
    complaints.clear()


def test_a_reload_keeps_what_is_not_sent_and_does_not_ask_for_it_again(
    reviewing: Reviewing, complaints: list[str]
) -> None:
    page, first = reviewing.page, reviewing.item
    page.route("**/verdict/", lambda route: route.abort())
    reviewing.decide("a")
    reviewing.wait_for_state("failed")
    reviewing.open()
    reviewing.wait_for_state("failed")
    assert reviewing.item != first
    assert decisions() == []
    page.unroute_all()
    reviewing.open()
    reviewing.wait_for_state("saved")
    assert decisions() == ["accept"]
    assert str(Verdict.objects.get().slot_id) == first
    complaints.clear()


def test_a_failing_server_is_asked_again(reviewing: Reviewing, complaints: list[str]) -> None:
    page, refused = reviewing.page, []

    def fail_once(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.post_data_json["client_id"])
            route.fulfill(status=503, body="")

    page.route("**/verdict/", fail_once)
    reviewing.decide("a")
    reviewing.wait_for_state("failed")
    expect(page.locator("#save-state")).to_contain_text("1 not saved, next try in")
    reviewing.wait_for_state("saved")
    assert [Verdict.objects.get().client_id] == refused
    complaints.clear()


def test_a_decision_taken_back_before_it_was_sent_never_reaches_the_server(
    reviewing: Reviewing, context: BrowserContext, complaints: list[str]
) -> None:
    first = reviewing.item
    reviewing.page.wait_for_load_state("networkidle")
    context.set_offline(True)
    reviewing.decide("a")
    reviewing.decide("x")
    reviewing.decide("z")
    context.set_offline(False)
    reviewing.wait_for_state("saved")
    assert decisions() == ["accept"]
    assert str(Verdict.objects.get().slot_id) == first
    complaints.clear()


def test_taking_back_while_offline_reaches_the_server_later(
    reviewing: Reviewing, context: BrowserContext, complaints: list[str]
) -> None:
    first = reviewing.item
    reviewing.decide("a")
    reviewing.wait_for_state("saved")
    reviewing.page.wait_for_load_state("networkidle")
    context.set_offline(True)
    reviewing.decide("z")
    assert reviewing.item == first
    reviewing.wait_for_state("offline")
    assert decisions() == ["accept"]
    context.set_offline(False)
    reviewing.wait_for_state("saved")
    assert decisions() == []
    complaints.clear()


def test_an_older_decision_is_taken_back_from_the_trail(reviewing: Reviewing) -> None:
    first = reviewing.item
    for key in ("x", "a"):
        reviewing.decide(key)
    eventually(lambda: decisions() == ["reject", "accept"])
    reviewing.page.wait_for_timeout(SLIP_MS)
    reviewing.page.locator("#trail button").first.click()
    reviewing.page.wait_for_selector(f'body[data-judging="{first}"]')
    eventually(lambda: decisions() == ["accept"])
    reviewing.decide("a")
    eventually(lambda: decisions() == ["accept", "accept"])


def test_a_decision_that_cannot_be_taken_back_any_more_stays_and_the_page_goes_on(
    project: Project, reviewing: Reviewing, complaints: list[str]
) -> None:
    page = reviewing.page
    layer = Slot.objects.get(pk=reviewing.item).layer
    reviewing.decide("a")
    reviewing.wait_for_state("saved")
    second = reviewing.item
    make_gold(layer=layer, is_acceptable=True)
    page.wait_for_timeout(SLIP_MS)
    page.keyboard.press("z")
    expect(page.locator(".toast", has_text="A reviewer has decided")).to_be_visible()
    page.wait_for_selector(f'body[data-judging="{second}"]')
    expect(page.locator("#undo")).to_be_disabled()
    reviewing.decide("x")
    eventually(lambda: decisions() == ["accept", "reject"])
    complaints.clear()


def test_a_claim_that_was_on_its_way_while_somebody_decided_brings_no_layer_twice(reviewing: Reviewing) -> None:
    page, late = reviewing.page, []
    page.wait_for_load_state("networkidle")
    page.route("**/claim/", lambda route: route.continue_() if late else late.append((route, route.fetch())))
    reviewing.decide("a")
    eventually(lambda: page.wait_for_timeout(20) or late)
    reviewing.decide("a")
    reviewing.wait_for_state("saved")
    [(route, answer)] = late
    route.fulfill(response=answer)
    page.wait_for_load_state("networkidle")
    reviewing.decide("a")
    expect(page.locator("#veil h2")).to_have_text("The queue is clear")
    assert decisions() == ["accept"] * 3
    assert not Verdict.objects.exclude(extra_reason="").exists()


PRESS_AND_HANG = """() => setTimeout(() => {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { code: "KeyX", bubbles: true }));
    window.hungUntil = Date.now() + 6000;
    while (Date.now() < window.hungUntil);
})"""


def test_a_decision_is_safe_in_the_moment_of_the_key_even_if_the_tab_gets_no_further(
    own_context: BrowserContext, project: Project, bob: Any, sign_in: Callable[..., None]
) -> None:
    fill_queue(project, 3)
    sign_in(bob, own_context)
    page = own_context.new_page()
    reviewing = Reviewing(page, project).open()
    first = reviewing.item
    page.route("**/verdict/", lambda route: route.abort())
    page.evaluate(PRESS_AND_HANG)
    other = Reviewing(own_context.new_page(), project).open()
    other.wait_for_state("saved")
    verdict = Verdict.objects.get()
    assert str(verdict.slot_id) == first
    assert verdict.created_at.timestamp() < page.evaluate("window.hungUntil") / 1000


def test_a_lost_lease_is_told_and_the_verdict_kept_as_an_extra(
    project: Project, reviewing: Reviewing, complaints: list[str]
) -> None:
    dora = make_user("dora")
    join(dora, project, Role.ANNOTATOR)
    Slot.objects.filter(pk=reviewing.item).update(holder=dora, available_at=timezone.now() + timedelta(hours=1))
    reviewing.decide("a")
    expect(reviewing.page.locator(".toast")).to_contain_text("somebody else took the layer")
    reviewing.wait_for_state("saved")
    assert Verdict.objects.get().extra_reason == "lease_lost"
    complaints.clear()


def test_signing_in_on_top_of_the_page_sends_what_was_decided_and_leaves_the_page_as_it_is(
    reviewing: Reviewing, context: BrowserContext, complaints: list[str]
) -> None:
    page = reviewing.page
    context.clear_cookies(name="sessionid")
    reviewing.decide("x")
    reviewing.wait_for_state("signed-out")
    before = reviewing.item
    expect(page.get_by_role("dialog", name="You are signed out")).to_be_visible()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-problem")).to_contain_text("not right")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    reviewing.wait_for_state("saved")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert reviewing.item == before
    assert decisions() == ["reject"]
    complaints.clear()


def test_a_picture_that_does_not_load_can_be_skipped_without_a_verdict(
    page: Page, project: Project, bob: Any, sign_in: Callable[[Any], None], complaints: list[str]
) -> None:
    fill_queue(project, 1)
    layer = project.layers.get()
    layer.rgba.storage.delete(layer.rgba.name)
    sign_in(bob)
    page.goto(f"/projects/{project.slug}/review/")
    expect(page.locator("#veil h2")).to_have_text("This picture did not load")
    page.get_by_role("button", name="Skip", exact=True).click()
    expect(page.locator("#veil h2")).to_have_text("The queue is clear")
    assert not Verdict.objects.exists()
    eventually(lambda: not Slot.objects.filter(status=SlotStatus.LEASED).exists())
    complaints.clear()


def test_leaving_the_page_gives_the_layers_back(reviewing: Reviewing) -> None:
    assert Slot.objects.filter(status=SlotStatus.LEASED).exists()
    reviewing.page.goto("/")
    eventually(lambda: not Slot.objects.filter(status=SlotStatus.LEASED).exists())


def test_an_empty_queue_says_so_and_new_layers_show_up_by_themselves(
    own_context: BrowserContext, project: Project, bob: Any, sign_in: Callable[..., None]
) -> None:
    sign_in(bob, own_context)
    page = own_context.new_page()
    page.clock.install()
    page.goto(f"/projects/{project.slug}/review/")
    expect(page.locator("#veil h2")).to_have_text("The queue is clear")
    fill_queue(project, 1)
    page.clock.fast_forward(20_000)
    page.wait_for_selector("body[data-judging]")
