"""Training in a browser: look at what a run learns from, retrain, watch it end, promote, take it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.models import Project
from tests.browser.test_accessibility import faults
from tests.training.frozen import make_stack
from training import predictors
from training.models import JobStatus, TrainingMetric, TrainingRun
from training.rules import Rules
from training.selectors.checkpoints import current_checkpoint
from training.services.checkpoints import checkpoint_named, folder_of, register_checkpoint
from training.services.freezing import freeze_snapshot
from training.services.training_runs import start_training_run
from training.tasks import make_layers, train


@pytest.fixture
def stacks(project: Project, bob: Any) -> Project:
    for number in range(4):
        make_stack(project, number, (bob,))
    return project


def test_a_curator_retrains_watches_and_promotes(
    page: Page,
    stacks: Project,
    alice: Any,
    sign_in: Callable[[Any], None],
    screenshot: Callable[[Page, str], None],
) -> None:
    sign_in(alice)
    page.goto(f"/projects/{stacks.slug}/")
    page.get_by_role("link", name="Training").last.click()
    expect(page.get_by_text("No run yet")).to_be_visible()
    page.get_by_label("Steps", exact=True).fill("2")
    page.get_by_label("Composites", exact=True).fill("0")
    page.get_by_role("button", name="Show what it learns from").click()
    learns = page.locator(".learns")
    expect(learns).to_contain_text("16 samples")
    expect(learns).not_to_contain_text("Composites")
    page.get_by_role("button", name="Retrain").click()
    expect(page.get_by_role("heading", name="Run 1")).to_be_visible()
    expect(page.locator("#run-head")).to_contain_text("Queued")
    train()
    expect(page.locator("#run-head")).to_contain_text("Finished")
    expect(page.locator("#run-figures")).to_contain_text("of 2")
    expect(page.locator("#loss-plot canvas")).to_be_visible()
    page.get_by_text("As a table").click()
    assert page.locator("#run-table tbody tr").count() == 2
    expect(page.locator("#run-samples img").first).to_be_visible()
    screenshot(page, "training-run")
    make_layers()
    page.get_by_role("link", name="street-and-studio-1").first.click()
    expect(page.get_by_role("heading", name="street-and-studio-1")).to_be_visible()
    expect(page.locator(".judges li")).to_have_count(1)
    page.get_by_role("button", name="Use it from now on").click()
    expect(page.get_by_text("in use", exact=True)).to_be_visible()
    screenshot(page, "checkpoint")
    page.get_by_role("button", name="Back to the shipped one").click()
    expect(page.get_by_role("button", name="Use it from now on")).to_be_visible()
    assert current_checkpoint(stacks) is None
    layer = TrainingRun.objects.get().snapshot.items.filter(split="train").first()
    page.goto(f"/layers/{layer.layer_id}/history/")
    expect(page.get_by_role("link", name="Training run 1")).to_be_visible()


def test_a_policy_is_tried_before_it_is_saved(
    page: Page, stacks: Project, alice: Any, sign_in: Callable[[Any], None], screenshot: Callable[[Page, str], None]
) -> None:
    sign_in(alice)
    page.goto(f"/projects/{stacks.slug}/training/")
    policy = page.locator("#policy")
    expect(policy).to_contain_text("Nothing would start")
    policy.get_by_label("Retrain by itself").check()
    policy.get_by_label("After so many new accepted layers").fill("12")
    policy.get_by_role("button", name="Dry run").click()
    expect(policy).to_contain_text("A run would start")
    expect(policy).to_contain_text("12 newly accepted layers, 12 are enough")
    expect(policy.locator("header")).to_contain_text("off")
    screenshot(page, "training-policy")
    policy.get_by_label("Hours between two runs").fill("-1")
    policy.get_by_role("button", name="Dry run").click()
    policy.get_by_label("Hours between two runs").fill("5")
    policy.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    stacks.refresh_from_db()
    assert (stacks.retrain_policy.every_layers, stacks.retrain_policy.cooldown_hours) == (12, 5)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault_on_the_training_pages(
    page: Page,
    stacks: Project,
    alice: Any,
    sign_in: Callable[[Any], None],
    screenshot: Callable[[Page, str], None],
    theme: str,
) -> None:
    snapshot = freeze_snapshot(project=stacks, name="Before", rules=Rules(), user=alice)
    run = start_training_run(snapshot=snapshot, user=alice, weights={"validated": 1, "automatic": 0.2})
    parent = checkpoint_named(predictors.DEFAULT)
    made = register_checkpoint(
        folder=folder_of(parent),
        name="street-1",
        project=stacks,
        parent=parent,
        snapshot=snapshot,
        recipe="tiny_cpu",
        metrics={"iou_layers": 0.81, "iou_layers_before": 0.79},
    )
    reason = "non_finite_loss: the loss was not finite 10 times in a row at step 3"
    TrainingRun.objects.filter(pk=run.pk).update(
        status=JobStatus.FAILED, reason=reason, step=40, steps=80, trained_s=80, log="fine-tuning 40/80\n"
    )
    for step in range(1, 41):
        numbers = {"loss": 0.4 - 0.004 * step + 0.05 * (step % 3), "samples_per_s": 6.0, "lr": 2e-4}
        TrainingMetric.objects.create(run=run, kind="train", step=step, stage="fine-tuning", numbers=numbers)
    page.emulate_media(color_scheme=theme)
    sign_in(alice)
    found = []
    for name, address in (
        ("training", f"/projects/{stacks.slug}/training/"),
        ("training-run", f"/training-runs/{run.pk}/"),
        ("checkpoint", f"/checkpoints/{made.pk}/"),
    ):
        page.goto(address)
        page.wait_for_load_state("load")
        found += faults(page)
        screenshot(page, f"{name}-{theme}")
    assert not found, "\n".join(found)
