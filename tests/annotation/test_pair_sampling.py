"""Pairs are chosen where a vote tells most, and every pair keeps a chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from annotation.pair_sampling import UNIFORM_SHARE, pair_chances
from evaluation.rating import Fit
from evaluation.rating_planning import information
from tests.evaluation.worlds import NINE, TIE, outcomes

WIDE = 2.5 * NINE
"""955 Elo from first to last, as between a trained network and a trivial baseline."""


def chance_of(chances, first: int, second: int) -> float:
    return float(chances.chance[(chances.first == first) & (chances.second == second)].sum())


def test_without_votes_all_pairs_are_about_equal_and_chances_sum_to_one() -> None:
    chances = pair_chances(np.zeros((5, 5)))
    assert chances.chance.sum() == pytest.approx(1)
    assert chances.chance.min() >= UNIFORM_SHARE / 10


def test_a_pair_that_was_never_asked_goes_before_one_that_was() -> None:
    wins = np.full((3, 3), 150.0)
    wins[0, 2] = wins[2, 0] = 0
    np.fill_diagonal(wins, 0)
    chances = pair_chances(wins)
    assert chance_of(chances, 0, 2) > chance_of(chances, 0, 1)


def test_pairs_that_are_out_count_as_asked() -> None:
    wins = np.full((3, 3), 150.0)
    np.fill_diagonal(wins, 0)
    pending = np.zeros((3, 3))
    pending[0, 1] = pending[1, 0] = 400
    assert chance_of(pair_chances(wins, pending), 0, 1) < chance_of(pair_chances(wins), 0, 1)


def test_hopeless_pairs_are_left_to_the_uniform_share() -> None:
    rng = np.random.default_rng(0)
    wins = np.zeros((9, 9))
    vote(wins, *np.triu_indices(9, 1), times=60, strengths=WIDE, rng=rng)
    chances = pair_chances(wins)
    assert chance_of(chances, 0, 8) == pytest.approx(UNIFORM_SHARE / 36, rel=0.05)
    neighbours = chances.chance[chances.second - chances.first == 1].sum()
    assert neighbours > 0.75, "8 of 36 pairs"


def test_a_newcomer_is_asked_about_most() -> None:
    wins = np.full((4, 4), 100.0)
    np.fill_diagonal(wins, 0)
    wins[3, :] = wins[:, 3] = 0
    chances = pair_chances(wins)
    assert chances.chance[chances.second == 3].sum() > 0.85


def test_only_pairs_that_can_be_compared_are_drawn() -> None:
    allowed = np.zeros((4, 4), bool)
    allowed[0, 1] = allowed[1, 0] = allowed[2, 3] = allowed[3, 2] = True
    chances = pair_chances(np.zeros((4, 4)), allowed=allowed)
    assert list(zip(chances.first, chances.second, strict=True)) == [(0, 1), (2, 3)]
    with pytest.raises(ValueError, match="no pair"):
        pair_chances(np.zeros((4, 4)), allowed=np.zeros((4, 4), bool))


def vote(wins: np.ndarray, left: np.ndarray, right: np.ndarray, times: int, strengths, rng) -> None:
    left, right = np.repeat(left, times), np.repeat(right, times)
    said = outcomes(strengths[left] - strengths[right], TIE, rng)
    np.add.at(wins, (left, right), (said + 1) / 2)
    np.add.at(wins, (right, left), (1 - said) / 2)


def widths(wins: np.ndarray, strengths: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean standard error of the gaps between neighbours, and of each producer, at the true strengths."""
    first, second = np.triu_indices(len(wins), 1)
    weight = (wins + wins.T)[first, second] * information(Fit(strengths, TIE).chances(first, second))
    laplacian = np.zeros(wins.shape)
    laplacian[first, second] = laplacian[second, first] = -weight
    np.fill_diagonal(laplacian, -laplacian.sum(1))
    covariance = np.linalg.pinv(laplacian)
    gaps = np.diff(np.eye(len(wins)), axis=0)
    return float(np.sqrt(np.diag(gaps @ covariance @ gaps.T)).mean()), np.sqrt(np.diag(covariance))


def votes_until(is_enough, wins: np.ndarray, strengths: np.ndarray, uniform_share: float, seed: int) -> int:
    rng, batch = np.random.default_rng(seed), 50
    for asked in range(batch, 6001, batch):
        chances = pair_chances(wins, uniform_share=uniform_share)
        drawn = rng.choice(len(chances.chance), size=batch, p=chances.chance)
        vote(wins, chances.first[drawn], chances.second[drawn], 1, strengths, rng)
        if is_enough(wins):
            return asked
    return 10_000


def narrower_than(wanted: float) -> Callable[[np.ndarray], bool]:
    return lambda wins: bool(widths(wins, WIDE)[0] <= wanted)


def test_active_pairs_need_at_most_70_percent_of_the_votes_of_uniform_pairs() -> None:
    """For the same width of the gaps between neighbours among nine producers of known strength."""
    ratios = []
    for seed in range(3):
        uniform = np.zeros((9, 9))
        rng = np.random.default_rng(seed)
        first, second = np.triu_indices(9, 1)
        pairs = rng.integers(36, size=2500)
        vote(uniform, first[pairs], second[pairs], 1, WIDE, rng)
        is_as_narrow = narrower_than(widths(uniform, WIDE)[0])
        ratios.append(votes_until(is_as_narrow, np.zeros((9, 9)), WIDE, UNIFORM_SHARE, seed) / 2500)
    assert np.mean(ratios) <= 0.70


def test_a_newcomer_reaches_a_width_with_at_most_half_the_votes() -> None:
    settled = np.zeros((9, 9))
    vote(settled, *np.triu_indices(8, 1), times=100, strengths=NINE, rng=np.random.default_rng(0))

    def is_known(wins: np.ndarray) -> bool:
        return bool(widths(wins, NINE)[1][8] <= 0.15)

    active, uniform = (votes_until(is_known, settled.copy(), NINE, share, 1) for share in (UNIFORM_SHARE, 1.0))
    assert active <= 0.5 * uniform
