"""Signing in and the first page, in both themes, without a single complaint in the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.models import Project
from tests.browser.reviewing import Reviewing, fill_queue

Take = Callable[[Page, str], None]


def test_signing_in_by_form_leads_home_and_r_goes_on_to_the_queue(
    page: Page, project: Project, bob: Any, screenshot: Take
) -> None:
    fill_queue(project, 1)
    page.goto("/")
    screenshot(page, "sign-in")
    page.keyboard.type("bob")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Bob")
    screenshot(page, "home")
    page.keyboard.press("r")
    page.wait_for_selector("body[data-judging]")


def test_a_wrong_password_says_so(page: Page, bob: Any) -> None:
    page.goto("/sign-in/")
    page.fill("[name=username]", "bob")
    page.fill("[name=password]", "wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")


def test_signing_out_by_the_side_bar_ends_the_session(page: Page, bob: Any, sign_in: Callable[[Any], None]) -> None:
    sign_in(bob)
    page.goto("/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/")
    expect(page).to_have_url(re.compile("/sign-in/"))


def test_the_theme_is_remembered(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/sign-in/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("localStorage.setItem('rld.theme', 'light')")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_review_page_in_both_themes(
    page: Page, project: Project, bob: Any, sign_in: Callable[[Any], None], screenshot: Take, theme: str
) -> None:
    fill_queue(project, 2)
    sign_in(bob)
    page.emulate_media(color_scheme=theme)
    Reviewing(page, project).open()
    page.get_by_role("button", name="Switch theme").click()
    other = "light" if theme == "dark" else "dark"
    expect(page.locator("html")).to_have_attribute("data-theme", other)
    screenshot(page, f"review-{other}")


def test_a_project_of_others_is_a_404_page_in_the_same_look(
    page: Page, project: Project, charlie: Any, sign_in: Callable[[Any], None], screenshot: Take, complaints: list[str]
) -> None:
    sign_in(charlie)
    answer = page.goto(f"/projects/{project.slug}/review/")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    screenshot(page, "not-found")
    complaints.clear()
