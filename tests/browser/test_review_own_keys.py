"""People change keys: in the sheet, with conflicts said, kept in their browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.models import Project
from tests.browser.reviewing import Reviewing, decisions, eventually, fill_queue


@pytest.fixture
def reviewing(page: Page, project: Project, bob: Any, sign_in: Callable[..., None]) -> Reviewing:
    fill_queue(project, 3)
    sign_in(bob)
    return Reviewing(page, project).open()


def change(page: Page, label: str, key: str) -> None:
    page.keyboard.press("?")
    page.get_by_role("button", name="Change keys").click()
    page.get_by_role("button", name=f"Change the key for {label},").click()
    page.keyboard.press(key)


def test_a_changed_key_decides_is_shown_on_its_button_and_outlives_a_reload(reviewing: Reviewing) -> None:
    page = reviewing.page
    change(page, "Accept", "j")
    expect(page.locator("#key-sheet .said")).to_have_text("Accept is now J.")
    page.keyboard.press("Escape")
    expect(page.locator("#accept kbd")).to_have_text("J")
    expect(page.locator("#accept")).to_have_attribute("aria-keyshortcuts", "J")
    reviewing.decide("j")
    reviewing.open()
    expect(page.locator("#accept")).to_have_attribute("aria-keyshortcuts", "J")
    page.keyboard.press("a")
    reviewing.decide("j")
    eventually(lambda: decisions() == ["accept", "accept"])


def test_a_key_that_is_taken_is_not_given_away_but_can_be_swapped(reviewing: Reviewing) -> None:
    page = reviewing.page
    change(page, "Accept", "x")
    expect(page.locator("#key-sheet .said")).to_contain_text("X belongs to “Reject”")
    expect(page.locator("#accept")).to_have_attribute("aria-keyshortcuts", "A")
    page.get_by_role("button", name="Swap the two").click()
    expect(page.locator("#key-sheet .said")).to_have_text("Accept is now X, Reject is A.")
    page.keyboard.press("Escape")
    reviewing.decide("x")
    reviewing.decide("a")
    eventually(lambda: decisions() == ["accept", "reject"])


def test_escape_and_the_key_of_the_sheet_itself_cannot_be_given_to_anything_else(reviewing: Reviewing) -> None:
    page = reviewing.page
    change(page, "Reject", "?")
    expect(page.locator("#key-sheet .said")).to_contain_text("cannot be changed")
    page.keyboard.press("Escape")
    expect(page.locator("#key-sheet")).to_be_visible()
    expect(page.locator("#reject")).to_have_attribute("aria-keyshortcuts", "X")


def test_defaults_bring_all_keys_back(reviewing: Reviewing) -> None:
    page = reviewing.page
    change(page, "Halo", "g")
    expect(page.locator("#defect-1")).to_have_attribute("aria-keyshortcuts", "G 1")
    page.get_by_role("button", name="Defaults").click()
    expect(page.locator("#defect-1")).to_have_attribute("aria-keyshortcuts", "1")
    assert page.evaluate("localStorage.getItem('rld.keys')") == "{}"
