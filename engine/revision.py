"""Which code made a layer: the commit of this checkout, or what the image was built from."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path


@cache
def code_revision() -> str:
    """``RLD_REVISION`` when set (container images), else the commit, with ``+`` for uncommitted changes."""
    if given := os.environ.get("RLD_REVISION"):
        return given[:60]
    root = Path(__file__).resolve().parent.parent

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603

    try:
        return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
