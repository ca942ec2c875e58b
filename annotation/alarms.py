"""Signs that somebody does not look. They only flag: a person looks at the person's work and decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

LEAST = 20
"""Fewer verdicts say nothing about a habit."""
FAST_MS = 900
"""A median below this leaves no time to compare a layer with its photo: looking at one defect takes a second."""
STRAIGHT_CHANCE = 1e-4
"""A run of equal answers is flagged when the project's own share of answers makes it rarer than this."""


@dataclass(frozen=True, slots=True)
class Alarm:
    kind: str
    """``too_fast`` or ``straight_line``."""
    value: float
    limit: float


def alarms(active_ms: Sequence[int], decisions: Sequence[str], shares: dict[str, float]) -> list[Alarm]:
    """For one person's latest verdicts, in order. ``shares``: how often each answer is given in the project."""
    if len(decisions) < LEAST:
        return []
    found = []
    typical = median(active_ms)
    if typical < FAST_MS:
        found.append(Alarm("too_fast", float(typical), float(FAST_MS)))
    for decision, run in groupby(decisions):
        length, limit = len(list(run)), _longest_run(shares.get(decision, 0.0), len(decisions))
        if length > limit:
            found.append(Alarm("straight_line", float(length), limit))
    return found


def _longest_run(share: float, of: int) -> float:
    """The length that a run reaches by chance with ``STRAIGHT_CHANCE`` among ``of`` independent answers.

    The expected number of runs of length r or more is about n (1 - p) p^r.
    """
    if share >= 1:
        return float("inf")
    length = 0.0
    while of * (1 - share) * share**length > STRAIGHT_CHANCE:
        length += 1
    return max(length, float(LEAST))
