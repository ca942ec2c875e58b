"""Numbers of a run: one JSON line each in ``metrics.jsonl``, and to accelerate's trackers where they are installed."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from training.reflayer.run_state import Position

FILE = "metrics.jsonl"


class MissingTracker(ValueError):
    """A tracker was asked for whose package is not installed."""

    code = "missing_tracker"


def checked_trackers(names: tuple[str, ...]) -> list[str]:
    """Raises ``MissingTracker`` that says what to install."""
    for name in names:
        packages = ("tensorboard", "tensorboardX") if name == "tensorboard" else (name,)
        if not any(find_spec(package) for package in packages):
            raise MissingTracker(f"tracker {name} needs the package {packages[0]}; leave it out or install it")
    return list(names)


class MetricsLog:
    """Appends rows; ``is_main`` alone writes. On resume, rows after the position are dropped: they come again."""

    def __init__(self, out: Path, accelerator: Any, since: Position | None) -> None:
        self.path, self._accelerator = out / FILE, accelerator
        if not accelerator.is_main_process:
            return
        kept = []
        if since is not None and self.path.exists():
            rows = [json.loads(line) for line in self.path.read_text().splitlines()]
            kept = [row for row in rows if (row["stage_number"], row["step"]) <= (since.stage, since.step)]
        self.path.write_text("".join(json.dumps(row) + "\n" for row in kept))

    def write(self, position: Position, stage: str, kind: str, numbers: dict[str, float]) -> None:
        """``kind`` is ``train`` or ``validation``. A number that is not finite is written as null."""
        if not self._accelerator.is_main_process:
            return
        finite = {key: value if math.isfinite(value) else None for key, value in numbers.items()}
        row = {"kind": kind, "stage": stage, "stage_number": position.stage, "step": position.step, **finite}
        with self.path.open("a") as opened:
            opened.write(json.dumps(row) + "\n")
        tracked = {f"{stage}/{kind}/{key}": value for key, value in numbers.items()}
        self._accelerator.log(tracked, step=position.step)
