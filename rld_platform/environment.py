"""Typed readers of environment variables. A bad value stops the start with one line that names it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path


class BadSetting(SystemExit):
    """Ends the process with exit code 2 and one clear line on standard error."""

    def __init__(self, name: str, expected: str, value: str) -> None:
        import sys

        print(f"{name} must be {expected}, got {value!r}", file=sys.stderr)  # noqa: T201 - before logging is set up
        super().__init__(2)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def words(name: str, default: Sequence[str] = ()) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def flag(name: str, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in {"0", "1", "true", "false", "yes", "no"}:
        raise BadSetting(name, "one of 1, 0, true, false, yes, no", value)
    return value in {"1", "true", "yes"}


def number(name: str, default: int, low: int, high: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or not low <= int(value) <= high:
        raise BadSetting(name, f"a whole number from {low} to {high}", value)
    return int(value)


def choice(name: str, default: str, options: Sequence[str]) -> str:
    value = text(name, default)
    if value not in options:
        raise BadSetting(name, f"one of {', '.join(options)}", value)
    return value


def url(name: str, default: str, schemes: Sequence[str]) -> str:
    value = text(name, default)
    if value.partition("://")[0] not in schemes or "://" not in value:
        raise BadSetting(name, f"a URL starting with {' or '.join(s + '://' for s in schemes)}", value)
    return value


def secret(name: str, home: Path) -> str:
    """The variable, or a random text made once and kept in ``home`` with mode 600."""
    if given := text(name):
        if len(given) < 32:
            raise BadSetting(name, "at least 32 characters long", "*" * len(given))
        return given
    path = home / name.lower()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text().strip()
        if len(kept) < 32:
            raise BadSetting(
                str(path), "a file with at least 32 characters; delete it to make a new one", kept
            ) from None
        return kept
    with os.fdopen(descriptor, "w") as file:
        made = secrets.token_urlsafe(48)
        file.write(made)
    return made
