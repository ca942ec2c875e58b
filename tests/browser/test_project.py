"""Projects in a real browser: drop photos, read what became of each, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from engine.demo.photographs import demo_photographs
from engine.imaging import encode_png
from engine.models import Project, SourceImage
from engine.services.images import import_image
from tests.factories import make_picture

DROP = """
    async ([name, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
        const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
        document.getElementById("drop").dispatchEvent(drop);
    }
"""


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Two photographs, the second once more under another name, and a text."""
    first, second = (encode_png(make_picture(seed, 160, 120)) for seed in (1, 2))
    files = {"one.png": first, "two.png": second, "again.png": second, "note.png": b"no picture"}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in files]


@pytest.fixture
def open_project(page: Page, project: Project, alice: Any, sign_in: Callable[[Any], None]) -> Page:
    sign_in(alice)
    page.goto(f"/projects/{project.slug}/")
    return page


def outcome_of(page: Page, name: str) -> Any:
    return page.locator(".outcomes li", has_text=name)


def test_every_chosen_file_gets_its_own_answer(
    open_project: Page, photos: list[Path], screenshot: Callable[[Page, str], None]
) -> None:
    page = open_project
    page.set_input_files("input[name=files]", photos)
    expect(outcome_of(page, "one.png")).to_contain_text("stored")
    expect(outcome_of(page, "note.png")).to_contain_text("not an image")
    expect(page.locator(".summary")).to_have_text("2 stored, 1 here already, 1 refused")
    expect(page.locator("#photos .tile")).to_have_count(2)
    expect(page.locator("#figures")).to_contain_text("2 not run yet")
    screenshot(page, "project-upload")


def test_photos_can_be_dropped(open_project: Page) -> None:
    data = encode_png(make_picture(5, 160, 120))
    open_project.evaluate(DROP, ["dropped.png", list(data)])
    expect(outcome_of(open_project, "dropped.png")).to_contain_text("stored")
    assert SourceImage.objects.get().original_name == "dropped.png"


def test_an_upload_without_an_answer_is_told(open_project: Page, photos: list[Path], complaints: list[str]) -> None:
    open_project.route("**/upload/", lambda route: route.abort())
    open_project.set_input_files("input[name=files]", photos[:1])
    expect(outcome_of(open_project, "one.png")).to_contain_text("The server did not answer")
    complaints[:] = [text for text in complaints if "ERR_FAILED" not in text]


def test_without_javascript_the_form_uploads_too(
    browser: Browser, live_server: Any, client: Any, project: Project, alice: Any, photos: list[Path]
) -> None:
    client.force_login(alice)
    session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies([session])
    page = context.new_page()
    page.goto(f"/projects/{project.slug}/")
    page.set_input_files("input[name=files]", photos)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator(".outcomes li")).to_have_count(4)
    context.close()
    assert SourceImage.objects.count() == 2


def test_a_new_project_opens_at_once(
    page: Page, project: Project, alice: Any, sign_in: Callable[[Any], None], screenshot: Callable[[Page, str], None]
) -> None:
    sign_in(alice)
    photograph = next(photo for photo in demo_photographs() if photo.name == "china")
    import_image(project=project, data=photograph.read_bytes(), name=photograph.path.name)
    page.goto("/projects/")
    page.wait_for_load_state("networkidle")
    screenshot(page, "projects")
    page.get_by_label("Name", exact=True).fill("Harbour at night")
    page.get_by_role("button", name="Create project").click()
    expect(page.get_by_role("heading", name="Harbour at night")).to_be_visible()
    expect(page.get_by_text("No photos yet")).to_be_visible()


def test_the_api_docs_open_under_the_content_policy(page: Page, db: Any) -> None:
    page.goto("/api/docs/")
    expect(page.get_by_text("/api/images/").first).to_be_visible()
