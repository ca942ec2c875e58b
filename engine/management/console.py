"""What all commands share: progress on standard error, one JSON line at the end, refusals as one clear line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError

from engine.refusals import Refusal

T = TypeVar("T")
WRONG_USE = 2


class ConsoleCommand(BaseCommand):
    """``--json`` makes the last line of standard output one JSON object; people read the rest."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="end with one line of JSON")

    def finish(self, document: dict[str, Any], sentence: str, as_json: bool) -> None:
        self.stderr.write(sentence) if as_json else self.stdout.write(sentence)
        if as_json:
            self.stdout.write(json.dumps(document))


@contextmanager
def refusals_as_errors() -> Iterator[None]:
    """A service's no becomes exit code 1 and one line ``code: sentence``."""
    try:
        yield
    except Refusal as refusal:
        raise CommandError(f"{refusal.code}: {refusal}") from refusal


def with_progress(items: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Show ``what 3/9`` on standard error: redrawn in place on a terminal, at most a line every 5 s elsewhere."""
    shown_at = 0.0
    number = 0
    is_terminal = sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if is_terminal or now - shown_at >= 5.0:
            shown_at = now
            text = f"{what} {number}/{total}" if total else f"{what} {number}"
            sys.stderr.write(f"\r{text} " if is_terminal else f"{text}\n")
            sys.stderr.flush()
    if is_terminal and number:
        sys.stderr.write("\n")
