"""A real Chromium against a real server. One profile for all tests, emptied before each: scripts stay cached."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.test import Client
from django.test.client import ClientHandler
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

# Playwright's sync API runs an event loop in this thread; Django would refuse the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = Path(__file__).parents[2] / "test-artifacts" / "screenshots"
PATIENCE_MS = 20_000
"""For a machine that does much else; what is waited for comes at once on a quiet one."""
expect.set_options(timeout=PATIENCE_MS)
VIEWPORT = {"width": 1440, "height": 900}
RECORD_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`));
"""


class InFlight:
    """The requests that the server is answering now. One that runs on would meet the emptying of the database.

    Those of Django's test client are left out: an answer that a test does not read to its end is never finished.
    """

    def __init__(self) -> None:
        self._count, self._changed = 0, threading.Condition()
        request_started.connect(self._began)
        request_finished.connect(self._ended)

    def _began(self, sender: type, **signal: Any) -> None:
        if sender is ClientHandler:
            return
        with self._changed:
            self._count += 1

    def _ended(self, sender: type, **signal: Any) -> None:
        if sender is ClientHandler:
            return
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_for_none(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._count <= 0, timeout=PATIENCE_MS / 1000)


@pytest.fixture(scope="session")
def in_flight() -> InFlight:
    return InFlight()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser(live_server: Any) -> Iterator[Browser]:
    """Closed before the server is, so that no open connection keeps a session in the test database."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no Chromium: none of {', '.join(NAMES)} is on the PATH"
        pytest.fail(reason) if os.environ.get("RLD_REQUIRE_SERVICES") == "1" else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the pages of this test wrote to the console as errors; a test that expects some takes them out."""
    return []


def _profile(browser: Browser, address: str) -> BrowserContext:
    context = browser.new_context(base_url=address, viewport=VIEWPORT, reduced_motion="reduce")
    context.add_init_script(RECORD_VIOLATIONS)
    return context


@pytest.fixture(scope="session")
def shared_profile(browser: Browser, live_server: Any) -> Iterator[tuple[BrowserContext, Callable[[], None]]]:
    """The profile and what empties its storage."""
    context = _profile(browser, live_server.url)
    session = context.new_cdp_session(context.new_page())
    stores = "local_storage,indexeddb,cache_storage,service_workers"
    where = {"origin": live_server.url, "storageTypes": stores}
    yield context, lambda: session.send("Storage.clearDataForOrigin", where)
    context.close()


@pytest.fixture
def context(shared_profile: tuple[BrowserContext, Callable[[], None]]) -> Iterator[BrowserContext]:
    """The shared profile without anybody's cookies or stored data."""
    context, empty = shared_profile
    context.clear_cookies()
    empty()
    yield context
    context.set_offline(False)
    context.unroute_all()


@pytest.fixture
def own_context(browser: Browser, live_server: Any, in_flight: InFlight) -> Iterator[BrowserContext]:
    """A profile of its own, for what cannot be undone: a clock that was put forward, a tab that crashed."""
    context = _profile(browser, live_server.url)
    yield context
    context.close()
    in_flight.wait_for_none()


@pytest.fixture
def page(context: BrowserContext, complaints: list[str], in_flight: InFlight) -> Iterator[Page]:
    """A page of somebody who is not signed in. The test fails when the console has an error or a CSP violation."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    found = list(complaints)
    # The review page gives its layers back when it closes; that must not meet the emptying of the database.
    page.context.set_offline(True)
    page.close()
    in_flight.wait_for_none()
    assert found == []


@pytest.fixture
def sign_in(context: BrowserContext, live_server: Any) -> Callable[..., None]:
    """Gives the browser a session of this user, in the shared profile or another one."""

    def give(user: Any, profile: BrowserContext = context) -> None:
        client = Client()
        client.force_login(user)
        profile.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])

    return give


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return take
