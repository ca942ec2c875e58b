"""Addresses of stored files: signed, equal for a while so that browsers keep the picture, and ended by time."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

NOON = 1_800_000_000


@pytest.fixture
def clock(monkeypatch: Any) -> Any:
    """Sets the time that addresses are made and read at."""

    def at(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: NOON + seconds)

    at(0)
    return at


@pytest.fixture
def name(settings: Any) -> str:
    settings.MEDIA_LIFETIME_S = 3600
    return default_storage.save("pictures/a.png", ContentFile(b"pixels"))


def test_the_address_stays_the_same_within_a_period(name: str, clock: Any) -> None:
    first = default_storage.url(name)
    clock(20)
    assert default_storage.url(name) == first


def test_a_fresh_address_lives_for_at_least_the_period(name: str, clock: Any, client: Client) -> None:
    clock(3599)
    address = default_storage.url(name)
    clock(3599 + 3600)
    assert b"".join(client.get(address).streaming_content) == b"pixels"


def test_an_old_address_opens_nothing(name: str, clock: Any, client: Client) -> None:
    address = default_storage.url(name)
    clock(2 * 3600 + 1)
    assert client.get(address).status_code == 404


def test_a_changed_address_opens_nothing(name: str, clock: Any, client: Client) -> None:
    address = default_storage.url(name)
    assert client.get(address[:-2] + ("aa" if address[-2:] != "aa" else "bb")).status_code == 404
