"""Which two producers to compare next, so that a vote tells as much as it can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

UNIFORM_SHARE = 0.15
"""Keeps every propensity above zero and the graph of votes connected."""
SHARPNESS = 6
"""1 draws in proportion to the drop, which saves few votes; a very large number would always ask for the best pair."""
NEWCOMER_VOTES = 100
NEWCOMER_BOOST = 3.0
PRIOR = 0.1
"""Votes, as information, that every pair is taken to have had; makes the first draws finite and nearly uniform."""
STEPS = 50


@dataclass(frozen=True, slots=True)
class PairChances:
    """All P pairs of K producers with the chance of each: ``first`` < ``second``, ``chance`` sums to 1."""

    first: Array
    second: Array
    chance: Array


def pair_chances(
    wins: Array, pending: Array | None = None, allowed: Array | None = None, uniform_share: float = UNIFORM_SHARE
) -> PairChances:
    """By the expected drop of interval width that one more vote of the pair brings.

    ``wins`` [K, K]: votes the row won over the column, ties as halves. ``pending`` [K, K], symmetric: comparisons that
    are out but not voted on, which count as votes of unknown outcome. ``allowed`` [K, K], symmetric bools: pairs that
    can be compared at all, with pictures that both have.

    Chatbot Arena's rule (Chiang et al. 2024, section 5) is sqrt(v/n) - sqrt(v/(n+1)) with v and n of the pair itself.
    Here v comes from the whole fit, so that a vote also counts for what it tells of others: with C the covariance of
    the strengths and w the information of a vote, C becomes C - w c c' / (1 + w d), with c the pair's contrast under C
    and d its variance. The drop is summed over the gaps between neighbours in rank, which decide the order, and taken
    to the power ``SHARPNESS``. Producers with fewer than 100 votes are drawn three times as often.

    Raises ``ValueError`` when no pair is allowed.
    """
    size = len(wins)
    first, second = np.triu_indices(size, 1)
    if allowed is not None:
        first, second = first[allowed[first, second]], second[allowed[first, second]]
    if not len(first):
        raise ValueError("there is no pair of producers to compare")
    votes = wins + wins.T + (0 if pending is None else pending)
    strengths = _strengths(wins)
    chance = 1 / (1 + np.exp(-(strengths[:, None] - strengths[None, :])))
    weight = chance * (1 - chance)
    laplacian = -(votes + PRIOR) * weight
    np.fill_diagonal(laplacian, 0)
    np.fill_diagonal(laplacian, -laplacian.sum(1))
    covariance = np.linalg.pinv(laplacian)
    gaps = np.diff(np.eye(size)[np.argsort(strengths)], axis=0)
    contrast = covariance[:, first] - covariance[:, second]
    variance = contrast[first, np.arange(len(first))] - contrast[second, np.arange(len(first))]
    gained = weight[first, second] * (gaps @ contrast) ** 2 / (1 + weight[first, second] * variance)
    now = np.einsum("gi,ij,gj->g", gaps, covariance, gaps)[:, None]
    drop = (np.sqrt(now) - np.sqrt(np.maximum(now - gained, 0))).sum(0) ** SHARPNESS
    newcomer = votes.sum(1) < NEWCOMER_VOTES
    drop = drop * np.where(newcomer[first] | newcomer[second], NEWCOMER_BOOST, 1.0)
    active = drop / drop.sum() if drop.sum() > 0 else np.full(len(first), 1 / len(first))
    return PairChances(first, second, (1 - uniform_share) * active + uniform_share / len(first))


def _strengths(wins: Array) -> Array:
    """Rough Bradley-Terry strengths [K] with a little of a prior, by Newton's method; good enough to choose pairs by.

    The prior is a tenth of a tie between any two, so it is finite from the first vote on.
    """
    won = wins + PRIOR / 2
    np.fill_diagonal(won, 0)
    votes = won + won.T
    strengths = np.zeros(len(won))
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(strengths[:, None] - strengths[None, :])))
        slope = won.sum(1) - (votes * chance).sum(1)
        bend = -votes * chance * (1 - chance)
        np.fill_diagonal(bend, 0)
        np.fill_diagonal(bend, -bend.sum(1))
        step = np.clip(np.linalg.pinv(bend) @ slope, -2, 2)
        strengths = strengths + step
        if np.abs(step).max() < 1e-6:
            break
    return strengths
