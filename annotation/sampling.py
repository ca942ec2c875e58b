"""Which layer next: what goes first, and when a probe takes the place of an ordinary layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from random import random
from typing import Literal

Probe = Literal["gold", "mirror"]


class Priority(IntEnum):
    """Higher is served first. Returned work waits for a person who waits for it; an ``unsure`` needs a second head."""

    PLAIN = 0
    UNCERTAIN = 10
    UNSURE = 20
    RETURNED = 30


NEAR_A_THRESHOLD = {
    "recomposition_error": (0.096, 0.12),
    "main_part_share": (0.5, 0.6),
    "soft_share": (0.64, 0.8),
    "amodal_ratio": (4.0, 5.0),
}
"""Scores of layers that the post-filter's rules only just kept: within a fifth of its thresholds."""


@dataclass(frozen=True, slots=True)
class Mix:
    """A session begins with ``gold_first`` gold items; after them each new layer is a probe with these chances."""

    gold_first: int
    gold_rate: float
    mirror_rate: float


def probes(mix: Mix, served: int, count: int, draw: Callable[[], float] = random) -> list[Probe | None]:
    """For each of ``count`` new layers, ``served`` having gone before in the session: which probe replaces it.

    ``draw`` gives numbers in [0, 1). The draws are independent, so nobody can count out the next probe.
    """
    return [_probe(mix, served + number, draw) for number in range(count)]


def _probe(mix: Mix, served: int, draw: Callable[[], float]) -> Probe | None:
    if served < mix.gold_first:
        return "gold"
    chance = draw()
    if chance < mix.gold_rate:
        return "gold"
    return "mirror" if chance < mix.gold_rate + mix.mirror_rate else None
