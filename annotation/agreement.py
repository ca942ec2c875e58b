"""When the judgements of a layer are enough, what they say, and how far people agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
Z = NormalDist().inv_cdf(0.975)
Floats = NDArray[Any]
Patterns = Mapping[tuple[int, int], int]
"""How many units have so many acceptances among so many judgements: all that agreement depends on."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """``is_accepted`` is ``None`` while open; then ``more`` says how many further judgements are needed (1 or more)."""

    is_accepted: bool | None
    more: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval and the units it rests on."""

    value: float
    low: float
    high: float
    n: int


def consensus(accepts: Sequence[bool], needed: int) -> Consensus:
    """The majority of all judgements, once there are at least ``needed``; an even split asks for one more.

    Nothing is settled early: with ``needed`` 3, two equal judgements still wait for the third, so that every layer
    has the same number behind it. Raises ``ValueError`` for ``needed`` below 1.
    """
    if needed < 1:
        raise ValueError(f"needed must be at least 1, got {needed}")
    if len(accepts) < needed:
        return Consensus(None, needed - len(accepts))
    lead = 2 * sum(accepts) - len(accepts)
    if lead == 0:
        return Consensus(None, 1)
    return Consensus(lead > 0, 0)


def raw_agreement(patterns: Patterns) -> Estimate | None:
    """Share of pairs of judgements of the same unit that say the same; Wilson's interval over units' pairs.

    ``None`` without a unit that two people judged. Pairs of a unit with three judgements depend on each other, so
    the interval is a little too narrow where there are many of them.
    """
    pairs = sum(times * comb(judged, 2) for (_, judged), times in patterns.items())
    same = sum(times * (comb(accepts, 2) + comb(judged - accepts, 2)) for (accepts, judged), times in patterns.items())
    return share(same, pairs) if pairs else None


def alpha(patterns: Patterns, seed: int = 0) -> Estimate | None:
    """Krippendorff's alpha for nominal data (Krippendorff 2018), with a bootstrap interval over units.

    Each unit is the judgements of one layer, of whomever. The bootstrap resamples whole layers: Krippendorff's own
    (2006) resamples pairs, which takes the three pairs of three judgements for independent and comes out too narrow.
    ``None`` where alpha has no meaning: fewer than two units with two judgements, or everybody always said the same.
    """
    told = sorted((pattern, times) for pattern, times in patterns.items() if pattern[1] > 1)
    accepts, judged = np.array([pattern for pattern, _ in told], float).reshape(-1, 2).T
    times = np.array([count for _, count in told], float)
    n = int(times.sum())
    if n < 2 or accepts @ times in (0.0, judged @ times):
        return None
    drawn = np.random.default_rng(seed).multinomial(n, times / n, size=RESAMPLES)
    with np.errstate(invalid="ignore"):
        low, high = np.nanquantile(_alphas(accepts, judged, drawn), [0.025, 0.975])
    return Estimate(float(_alphas(accepts, judged, times)), float(low), float(high), n)


def _alphas(accepts: Floats, judged: Floats, times: Floats) -> Floats:
    """Alpha of units that occur ``times`` [..., P] in each pattern of ``accepts`` among ``judged`` [P]."""
    observed = times @ (2 * accepts * (judged - accepts) / (judged - 1))
    accepted, of = times @ accepts, times @ judged
    expected = 2 * accepted * (of - accepted) / (of - 1)
    return np.asarray(1 - observed / expected)


def share(right: int, of: int) -> Estimate:
    """A share with Wilson's interval (1927). Raises ``ValueError`` for a share of nothing."""
    if of < 1 or not 0 <= right <= of:
        raise ValueError(f"{right} of {of} is no share")
    value, room = right / of, Z**2 / of
    middle = (value + room / 2) / (1 + room)
    half = sqrt(room * (value * (1 - value) + room / 4)) / (1 + room)
    # At both ends one bound is the share itself, but for rounding.
    low = 0.0 if right == 0 else middle - half
    high = 1.0 if right == of else middle + half
    return Estimate(value, low, high, of)
