"""Somebody whose queue is paused is told so in the server's words, and goes on when the pause ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from annotation.services.people import set_assignee
from engine.models import Project
from tests.browser.reviewing import fill_queue


def test_a_paused_person_reads_why_and_goes_on_after_the_pause(
    page: Page, project: Project, bob: Any, sign_in: Callable[..., None], complaints: list[str]
) -> None:
    fill_queue(project, 1)
    set_assignee(project=project, user=bob, is_paused=True)
    sign_in(bob)
    page.goto(f"/projects/{project.slug}/review/")
    expect(page.locator("#veil h2")).to_have_text("No layers for you now")
    expect(page.locator("#veil p")).to_have_text("An admin of this project has paused your queue.")
    assert len(complaints) == 1, complaints
    assert "403" in complaints.pop()
    set_assignee(project=project, user=bob, is_paused=False)
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("body[data-judging]")
