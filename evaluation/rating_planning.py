"""What votes are still worth asking for, and how much the first place rests on a few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from evaluation.rating import ELO, Board, Fit
from evaluation.rating_davidson import most_likely
from evaluation.rating_votes import Array

MOST_VOTES = 20_000
"""Beyond this two producers are called equal for all purposes."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Two neighbours on the board, the better one first; ``gap`` and its interval in Elo.

    ``more`` direct votes are expected to tell them apart at the asked confidence: 0 when they are apart already,
    ``None`` when it would take over ``MOST_VOTES``.
    """

    better: str
    worse: str
    gap: float
    low: float
    high: float
    more: int | None


def votes_still_needed(board: Board, confidence: float = 0.95) -> list[Gap]:
    """Neighbour by neighbour, if the gap stays as it is.

    A direct vote carries the information w of a Davidson outcome about the difference, and the variance v of the
    difference after n of them is v / (1 + n w v) exactly (one rank-one update of the information matrix each).
    Raises ``ValueError`` for a confidence outside (0, 1).
    """
    order = np.argsort(-board.fit.strengths)
    gaps = []
    for better, worse in pairwise(order):
        gap = board.fit.strengths[better] - board.fit.strengths[worse]
        contrast = np.zeros(len(order))
        contrast[[better, worse]] = 1, -1
        variance = float(contrast @ board.covariance @ contrast)
        half, more = still_needed(float(gap), variance, board.fit.tie, confidence)
        name = board.votes.producers
        low, high = float(ELO * (gap - half)), float(ELO * (gap + half))
        gaps.append(Gap(name[better], name[worse], float(ELO * gap), low, high, more))
    return gaps


def still_needed(gap: float, variance: float, tie: float, confidence: float = 0.95) -> tuple[float, int | None]:
    """Half the interval of a gap in logits with this variance, and how many more direct votes it takes (see above)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    half = z * variance**0.5
    if half < gap:
        return half, 0
    apart = Fit(np.array([gap / 2, -gap / 2]), tie).chances(np.array(0), np.array(1))
    needed = ((z / max(gap, 1e-9)) ** 2 - 1 / variance) / float(information(apart))
    return half, math.ceil(needed) if needed <= MOST_VOTES else None


def information(chances: Array) -> Array:
    """Fisher information of one vote about the difference of two strengths, from its chances [..., 3].

    With outcome o in -1, 0, 1 the log-likelihood is linear in o * difference / 2, so it is the variance of o / 2.
    """
    outcomes = np.array([-0.5, 0.0, 0.5])
    mean = chances @ outcomes
    return np.asarray(chances @ outcomes**2 - mean**2)


def votes_that_flip_the_first_place(board: Board) -> int:
    """At most so many votes have to be dropped for somebody else to be first; how robust the first place is.

    Votes are dropped in the order of their influence on the lead over each rival (Broderick, Giordano and Meager 2020;
    Huang et al. 2025 for arenas), and every candidate is checked by a refit, so the number is always enough; that
    fewer would do is possible. Making a rival unreachable (no longer linked) does not count. Raises ``ValueError`` on
    a board of one.
    """
    strengths = board.fit.strengths
    if len(strengths) < 2:
        raise ValueError("a first place needs a second one")
    order = np.argsort(-strengths)
    return min(_votes_to_overtake(board, int(order[0]), int(rival)) for rival in order[1:4])


def _votes_to_overtake(board: Board, first: int, rival: int) -> int:
    """Dropping rows of equal votes whole or in part, the most influential first; bisection with refits."""
    table = board.votes.patterns
    names = np.arange(len(board.votes.producers))
    lead = (names == first).astype(float) - (names == rival)
    chances = board.fit.chances(table.first, table.second)
    surprise = (table.outcome - chances @ np.array([-1.0, 0.0, 1.0])) / 2
    spread = np.linalg.pinv(_information_matrix(board))
    influence = surprise * ((spread[:, table.first] - spread[:, table.second]).T @ lead)
    order = np.argsort(-influence)
    ranked = table.counts[order]
    before = np.r_[0, ranked.cumsum()[:-1]]

    def leads_without(dropped: int) -> bool:
        counts = table.counts.copy()
        counts[order] -= np.clip(dropped - before, 0, ranked)
        [strengths], _ = most_likely(table, len(names), counts[None])
        return bool(strengths[first] > strengths[rival])

    low, high = 0, int(ranked[influence[order] > 0].sum())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if leads_without(middle) else (low, middle)
    return high


def _information_matrix(board: Board) -> Array:
    table = board.votes.patterns
    size = len(board.votes.producers)
    weight = table.counts * information(board.fit.chances(table.first, table.second))
    matrix = np.zeros((size, size))
    for one, other, sign in ((0, 0, 1), (1, 1, 1), (0, 1, -1), (1, 0, -1)):
        ends = (table.first, table.second)
        np.add.at(matrix, (ends[one], ends[other]), sign * weight)
    return matrix
