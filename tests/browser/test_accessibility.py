"""axe-core finds nothing on any page, in both themes; a picture is taken of each, and none is wider than a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from annotation.models import FLAG
from annotation.services.claims import claim, release
from engine.models import Project
from engine.services.runs import start_run
from tests.annotation.judging import judge, make_annotators
from tests.browser.drawn import BLUE, ORANGE, disc, flat, publish, rgba
from tests.browser.test_vote import draw_rivals

Take = Callable[[Page, str], None]
AXE = (Path(__file__).parents[1] / "assets" / "axe.min.js").read_text()
FAULTS = """async () => (await axe.run()).violations.flatMap(({id, nodes}) =>
    nodes.map(({target, failureSummary}) => `${id} ${target}: ${failureSummary}`))"""


def faults(page: Page) -> list[str]:
    page.evaluate(AXE)
    page.wait_for_timeout(250)  # colours that are moving have no contrast to measure
    return [f"{page.url} {fault}" for fault in page.evaluate(FAULTS)]


def review_states(page: Page) -> Iterator[str]:
    """The review page in every state that draws something new."""
    page.wait_for_selector("body[data-judging]")
    yield "layer"
    page.keyboard.press("2")
    page.keyboard.press("f")
    page.keyboard.press("v")
    page.keyboard.press("e")
    page.wait_for_selector("#loupe:not([hidden])")
    yield "four panes and the edge walk"
    page.keyboard.press("?")
    page.get_by_role("button", name="Change keys").click()
    yield "changing keys"
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('#sign-in-again').showModal()")
    yield "signing in again"


PHONE = {"width": 390, "height": 844}


@pytest.fixture
def pages(project: Project, alice: Any) -> dict[str, str]:
    """Name and address of every page behind the sign-in, each with something on it."""
    layer, *_ = publish(project, flat(BLUE), ("ball", rgba(flat(ORANGE), disc())), ("background", rgba(flat(BLUE))))
    disputed, flagged = (
        publish(project, flat(colour), (label, rgba(flat(ORANGE), disc(60))))[0]
        for label, colour in (("lamp", BLUE), ("kite", ORANGE))
    )
    run = start_run(project=project, user=alice)
    anna, _ben = make_annotators(project, "anna", "ben")
    say = {disputed.pk: ("broken", "Only black."), flagged.pk: ("accept", f"{FLAG} Whose hand is this?")}
    for slot in claim(user=anna, project=project, count=3):
        if slot.layer_id in say:
            decision, note = say[slot.layer_id]
            judge(anna, slot, decision, note=note, defects=[{"kind": "halo", "x": 9, "y": 9}])
        else:
            release(user=anna, slot_id=slot.pk)
    here = f"/projects/{project.slug}"
    return {
        "home": "/",
        "projects": "/projects/",
        "project": f"{here}/",
        "dashboard": f"{here}/dashboard/",
        "runs": f"{here}/runs/",
        "run": f"/runs/{run.id}/",
        "run-picture": f"/runs/{run.id}/pictures/{run.items.order_by('pk')[0].pk}/",
        "disputes": f"{here}/disputes/",
        "doubtful": f"{here}/doubtful/",
        "flagged": f"{here}/flagged/",
        "history": f"/layers/{flagged.pk}/history/",
        "repair": f"/layers/{layer.pk}/repair/",
        "playground": f"{here}/playground/",
        "review": f"{here}/review/",
    }


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault_on_any_page(
    page: Page, pages: dict[str, str], alice: Any, sign_in: Callable[..., None], screenshot: Take, theme: str
) -> None:
    page.set_default_timeout(20_000)
    page.emulate_media(color_scheme=theme)
    page.goto("/")
    found = faults(page)
    sign_in(alice)
    for name, address in pages.items():
        page.goto(address, wait_until="networkidle")
        found += faults(page)
        screenshot(page, f"page-{name}-{theme}")
    for state in review_states(page):
        found += [f"{state}: {fault}" for fault in faults(page)]
    assert not found, "\n".join(found)


def test_axe_finds_no_fault_on_a_phone(
    page: Page, project: Project, pages: dict[str, str], alice: Any, sign_in: Callable[..., None]
) -> None:
    """There the words of many buttons are out of sight; they must stay the buttons' names."""
    page.set_default_timeout(20_000)
    page.set_viewport_size(PHONE)
    draw_rivals(project, photos=1)
    sign_in(alice)
    found = []
    vote = f"/projects/{project.slug}/compare/"
    for address in (pages["review"], pages["repair"], pages["playground"], vote):
        page.goto(address, wait_until="networkidle")
        found += faults(page)
    assert not found, "\n".join(found)


def test_the_side_bar_fits_a_phone(page: Page, project: Project, alice: Any, sign_in: Callable[..., None]) -> None:
    page.set_viewport_size(PHONE)
    sign_in(alice)
    page.goto(f"/projects/{project.slug}/")
    side = page.locator("nav.side")
    assert side.evaluate("bar => bar.scrollWidth - bar.clientWidth") == 0


def test_no_page_is_wider_than_a_phone(
    page: Page, pages: dict[str, str], alice: Any, sign_in: Callable[..., None], screenshot: Take
) -> None:
    page.set_default_timeout(20_000)
    page.set_viewport_size(PHONE)
    sign_in(alice)
    wide = {}
    for name, address in pages.items():
        page.goto(address, wait_until="networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[name] = width
        screenshot(page, f"page-{name}-phone")
    assert not wide
    page.wait_for_selector("body[data-judging]")
    for verb in ("reject", "unsure", "accept"):
        box = page.locator(f"#{verb}").bounding_box() or {}
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert box["y"] + box["height"] <= PHONE["height"]
