"""Two producers in blind votes, looked at after every vote: who is better, or how many votes are still needed.

Looking again and again at an ordinary 95 % interval finds a winner between equals far more often than once in twenty.
The interval here is a confidence sequence, right at all times at once: the shares that a uniform mixture of all shares
does not beat by more than 1 / (1 - confidence) (Ville 1939; Robbins 1970). Ties say nothing of the direction and are
left out of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import betaln

MOST_VOTES = 20_000
"""Beyond this two producers are called equal for all purposes."""


class Outcome(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Duel:
    """``share`` of decided votes that the new one won, with its interval; ``None`` before the first."""

    wins: int
    losses: int
    ties: int
    share: float | None
    low: float
    high: float

    @property
    def votes(self) -> int:
        return self.wins + self.losses + self.ties

    @property
    def outcome(self) -> Outcome:
        if self.low > 0.5:
            return Outcome.BETTER
        return Outcome.WORSE if self.high < 0.5 else Outcome.OPEN


def judge(wins: int, losses: int, ties: int = 0, confidence: float = 0.95) -> Duel:
    """Raises ``ValueError`` for counts below 0 and a confidence outside (0, 1)."""
    if min(wins, losses, ties) < 0 or not 0 < confidence < 1:
        raise ValueError(f"counts are at least 0, confidence is in (0, 1): {wins}, {losses}, {ties}, {confidence}")
    decided = wins + losses
    share = wins / decided if decided else None
    return Duel(wins, losses, ties, share, *_interval(wins, losses, confidence))


def votes_still_needed(duel: Duel, confidence: float = 0.95) -> int | None:
    """If the shares of wins and ties stay as they are: 0 when it is decided, ``None`` before a vote told anything and
    when it would take over ``MOST_VOTES``."""
    if duel.outcome is not Outcome.OPEN:
        return 0
    if not duel.wins + duel.losses:
        return None
    enough, few = MOST_VOTES / duel.votes, 1.0
    if not _is_decided(duel, enough, confidence):
        return None
    for _ in range(40):
        middle = (enough + few) / 2
        enough, few = (middle, few) if _is_decided(duel, middle, confidence) else (enough, middle)
    return math.ceil(duel.votes * (enough - 1))


def _is_decided(duel: Duel, times: float, confidence: float) -> bool:
    low, high = _interval(duel.wins * times, duel.losses * times, confidence)
    return low > 0.5 or high < 0.5


def _interval(wins: float, losses: float, confidence: float) -> tuple[float, float]:
    if not wins + losses:
        return 0.0, 1.0
    bound = -math.log(1 - confidence)

    def is_excluded(share: float) -> bool:
        likelihood = (wins * math.log(share) if wins else 0.0) + (losses * math.log1p(-share) if losses else 0.0)
        return bool(betaln(wins + 1, losses + 1) - likelihood >= bound)

    share = wins / (wins + losses)
    return (_edge(0.0, share, is_excluded) if wins else 0.0), (_edge(1.0, share, is_excluded) if losses else 1.0)


def _edge(outside: float, inside: float, is_excluded: Callable[[float], bool]) -> float:
    """Where the interval ends between a share outside it and one inside, by bisection."""
    for _ in range(50):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if is_excluded(middle) else (outside, middle)
    return outside
