"""Benchmarks, gates and rounds in a browser: axe finds nothing, nothing overflows, the pictures are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from engine.models import LayerStatus, Project
from evaluation.models import EvaluationRun, Gate, GateStatus
from evaluation.services.benchmarks import freeze_composites
from evaluation.services.gates import open_gate
from tests.browser.test_accessibility import faults
from tests.evaluation.gating import new_checkpoint
from tests.factories import make_image, make_layer
from tests.frontend.test_benchmark_pages import scored
from training.models import JobStatus

DESK_PX, PHONE_PX = 1440, 390


@pytest.fixture
def gate(project: Project, alice: Any) -> Gate:
    benchmark = freeze_composites(project=project, name="held-out", count=2, size_px=64)
    for number in range(3):
        make_layer(make_image(project), status=LayerStatus.ACCEPTED, label=f"ball {number}")
    for name, hpa in (("cpu", 0.7), ("grabcut", 0.4)):
        scored(benchmark, name, hpa)
    made = open_gate(checkpoint=new_checkpoint(project), project=project, benchmark=benchmark, budget=30)
    for run, hpa in ((made.run, 0.8), (made.rival_run, 0.5)):
        assert run is not None
        other = scored(benchmark, f"as {hpa}", hpa)
        other.scores.update(run=run)
        other.answers.update(run=run)
        EvaluationRun.objects.filter(pk=run.pk).update(status=JobStatus.FINISHED, networks_digest="n" * 64)
        other.delete()
    Gate.objects.filter(pk=made.pk).update(status=GateStatus.VOTING)
    return made


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault_and_nothing_overflows(
    page: Page, project: Project, gate: Gate, alice: Any, sign_in: Callable[..., None],
    screenshot: Callable[..., None], theme: str,
) -> None:  # fmt: skip
    page.set_default_timeout(60_000)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    sign_in(alice)
    found = []
    for name, address in (
        ("benchmarks", f"/projects/{project.slug}/benchmarks/"),
        ("benchmark", f"/benchmarks/{gate.benchmark_id}/"),
        ("gate", f"/gates/{gate.pk}/"),
        ("rounds", f"/projects/{project.slug}/rounds/"),
    ):
        page.goto(address, wait_until="networkidle")
        found += [f"{name}: {fault}" for fault in faults(page)]
        screenshot(page, f"{name}-{theme}")
        for width in (PHONE_PX, DESK_PX):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"{name} is {wide} px too wide at {width} px"] * (wide > 0)
    assert not found, "\n".join(found)


def test_a_curator_promotes_from_the_gate_and_takes_it_back(
    page: Page, project: Project, gate: Gate, alice: Any, sign_in: Callable[..., None]
) -> None:
    page.set_default_timeout(60_000)
    sign_in(alice)
    page.goto(f"/gates/{gate.pk}/")
    page.get_by_label("Why, in a sentence").fill("It is plainly better.")
    page.get_by_role("button", name="Promote").click()
    page.get_by_text("It is plainly better.").wait_for()
    page.get_by_role("button", name="Take it back").click()
    page.get_by_role("button", name="Take it back").wait_for(state="detached")
    gate.refresh_from_db()
    assert gate.promotion is not None
    assert gate.promotion.undone_at is not None
