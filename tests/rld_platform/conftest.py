"""A home folder for processes with an embedded server of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest


def servers_of(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and str(home) in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """Short enough for a socket's name, and not under pytest's folder, which every new session closes to other users:
    as root the server runs as one. No server is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="rld-"))
    yield folder
    for process in servers_of(folder):
        process.kill()
    shutil.rmtree(folder, ignore_errors=True)
