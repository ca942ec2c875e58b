"""Snapshots in a real browser: rules, preview, freezing, composition, difference, exports with progress."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import GoldItem
from engine.models import Project
from tests.browser.test_accessibility import faults
from tests.training.frozen import make_stack
from training.models import Export, Snapshot
from training.rules import Rules
from training.services.exports import start_export
from training.services.freezing import freeze_snapshot
from training.tasks import work


@pytest.fixture
def stacks(project: Project, bob: Any) -> Project:
    for number in range(6):
        make_stack(project, number, (bob,), licence="CC0" if number % 2 else "")
    return project


def test_a_curator_looks_freezes_and_exports(
    page: Page,
    stacks: Project,
    alice: Any,
    sign_in: Callable[[Any], None],
    screenshot: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    page.set_default_timeout(20_000)
    gold = stacks.layers.first()
    GoldItem.objects.create(project=stacks, layer=gold, is_acceptable=True, origin="truth")
    sign_in(alice)
    page.goto(f"/projects/{stacks.slug}/")
    page.get_by_role("link", name="Snapshots").click()
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Freezing is refused")
    expect(preview).to_contain_text(f"{gold.image.original_name} (gold)")
    expect(page.get_by_role("button", name="Freeze")).to_be_disabled()
    screenshot(page, "snapshots-refused")
    page.get_by_label("Leave out gold").check()
    page.get_by_role("button", name="Show what they take").click()
    expect(preview).to_contain_text("Left out")
    screenshot(page, "snapshots-preview")
    page.get_by_label("CC0").check()
    page.get_by_role("button", name="Show what they take").click()
    page.get_by_label("Name", exact=True).fill("First thousand")
    page.get_by_role("button", name="Freeze 9 layers").click()
    expect(page.get_by_role("heading", name="First thousand")).to_be_visible()
    assert Snapshot.objects.get().rules["licences"] == ["CC0"]
    page.get_by_label("Format").select_option("parquet")
    page.get_by_role("button", name="Export").click()
    expect(page.locator("[data-export]")).to_contain_text("queued")
    work()
    expect(page.locator("[data-export]")).to_contain_text("finished")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "export.tar")
    assert (tmp_path / "export.tar").stat().st_size == Export.objects.get().size + 1024
    page.wait_for_load_state("networkidle")
    screenshot(page, "snapshot")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_fault_on_the_snapshot_pages(
    page: Page,
    stacks: Project,
    alice: Any,
    sign_in: Callable[[Any], None],
    screenshot: Callable[[Page, str], None],
    theme: str,
) -> None:
    page.set_default_timeout(20_000)
    old = freeze_snapshot(project=stacks, name="Before", rules=Rules(), user=alice)
    start_export(snapshot=old, format="psd", user=alice)
    work()
    start_export(snapshot=old, format="coco", user=alice)
    make_stack(stacks, 20, (alice,))
    stacks.layers.first().image.delete()
    new = freeze_snapshot(project=stacks, name="After", rules=Rules(test=0.2), user=alice)
    page.emulate_media(color_scheme=theme)
    sign_in(alice)
    found = []
    for name, address in (
        ("list", f"/projects/{stacks.slug}/snapshots/?preview=1"),
        ("one", f"/snapshots/{old.pk}/"),
        ("diff", f"/snapshots/{new.pk}/diff/?since={old.pk}"),
    ):
        page.goto(address)
        page.wait_for_load_state("load")
        found += faults(page)
        screenshot(page, f"snapshots-{name}-{theme}")
    assert not found, "\n".join(found)
