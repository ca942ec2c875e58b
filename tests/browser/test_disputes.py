"""A reviewer rules on a layer in dispute, with mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from annotation.models import Adjudication
from annotation.services.needs import change_needed_judgements
from annotation.services.people import set_policy
from engine.models import Project
from tests.annotation.judging import claim_one, judge, make_annotators
from tests.browser.conftest import SCREENSHOTS
from tests.browser.drawn import BLUE, ORANGE, disc, flat, publish, rgba


def test_a_reviewer_rules_with_the_reasons_in_view(
    page: Page, project: Project, alice: Any, sign_in: Callable[..., None]
) -> None:
    publish(project, flat(BLUE), ("ball", rgba(flat(ORANGE), disc())))
    set_policy(project=project, gold_first=0, is_conflict_adjudicated=True)
    change_needed_judgements(project=project, needed=2)
    anna, ben = make_annotators(project, "anna", "ben")
    judge(anna, claim_one(anna, project), "accept", note="Clean to me.")
    judge(ben, claim_one(ben, project), "reject", defects=[{"kind": "halo", "x": 9.0, "y": 9.0}])
    sign_in(alice)
    page.goto(f"/projects/{project.slug}/")
    page.locator("#quality").get_by_role("link", name="1 dispute").click()
    expect(page.locator(".verdicts li")).to_have_count(2)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "disputes.png", full_page=True)
    page.get_by_label("Why").fill("A halo at the left.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Rejected.")).to_be_visible()
    expect(page.get_by_text("Nobody disagrees at the moment")).to_be_visible()
    assert (Adjudication.objects.get().ruling, Adjudication.objects.get().note) == ("reject", "A halo at the left.")
