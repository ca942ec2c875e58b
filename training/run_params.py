"""What somebody who starts a training run may change of its recipe: numbers, never paths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LIMITS: dict[str, tuple[type, float, float]] = {
    "steps": (int, 1, 1_000_000),
    "seed": (int, 0, 2**31 - 1),
    "batch": (int, 1, 4096),
    "rate": (float, 1e-9, 1.0),
    "warmup_steps": (int, 1, 100_000),
    "save_every": (int, 1, 1_000_000),
    "sample_every": (int, 1, 1_000_000),
    "validation_samples": (int, 1, 1000),
}
"""Name to type, least and most. All hold for the small network; ``steps`` (of every stage) and ``seed`` for all."""
FOR_ALL = ("steps", "seed")
STEPS, BATCH = 80, 8
"""Of fine-tuning the small network, unless somebody says otherwise."""


class BadParams(ValueError):
    code = "bad_params"


def checked_params(params: Mapping[str, Any], *, is_small: bool) -> dict[str, Any]:
    """The same, when they make sense; else ``BadParams`` with one sentence."""
    known = LIMITS if is_small else {name: LIMITS[name] for name in FOR_ALL}
    for name, value in params.items():
        if name not in known:
            raise BadParams(f"There is no parameter {name} here; there are {', '.join(known)}.")
        kind, least, most = known[name]
        is_kind = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
        if not is_kind or not math.isfinite(value) or not least <= value <= most:
            what = "a whole number" if kind is int else "a number"
            raise BadParams(f"{name} is {what} from {least:g} to {most:g}.")
    return {name: LIMITS[name][0](value) for name, value in params.items()}
