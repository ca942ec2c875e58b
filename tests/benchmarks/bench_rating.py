"""A leaderboard from 200,000 votes, and how many votes active pairs save."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from annotation.pair_sampling import UNIFORM_SHARE
from evaluation.rating import fit, resampled
from tests.annotation.test_pair_sampling import vote, votes_until, widths
from tests.evaluation.worlds import NINE, world

VOTES, PRODUCERS, PHOTOS, PEOPLE, BOOTSTRAPS = 200_000, 20, 5000, 30, 1000


def test_fit_of_200_000_votes_with_1000_bootstraps(bench: Callable[..., None]) -> None:
    strengths = np.random.default_rng(0).normal(0, 0.6, PRODUCERS)
    votes = world(0, votes=VOTES, strengths=strengths, photos=PHOTOS, people=PEOPLE)
    start = time.perf_counter()
    found = fit(votes)
    fitted = time.perf_counter()
    drawn = resampled(votes, votes.photo, np.random.default_rng(0), BOOTSTRAPS)
    done = time.perf_counter()
    bench(f"fit of {VOTES:,} votes, {PRODUCERS} producers", fitted - start, "s")
    bench(f"{BOOTSTRAPS} bootstraps by photo of the same", done - fitted, "s", f"{PHOTOS} photos")
    bench("fit and bootstraps", done - start, "s", "target: under 2")
    assert drawn.shape == (BOOTSTRAPS, PRODUCERS)
    assert np.corrcoef(found.strengths, strengths)[0, 1] > 0.99


def test_active_pairs_against_uniform_ones(bench: Callable[..., None]) -> None:
    for spread in (1.0, 2.0, 2.5):
        strengths, ratios = spread * NINE, []
        for seed in range(5):
            uniform = np.zeros((9, 9))
            first, second = np.triu_indices(9, 1)
            pairs = np.random.default_rng(seed).integers(36, size=2500)
            vote(uniform, first[pairs], second[pairs], 1, strengths, np.random.default_rng(seed))
            wanted = widths(uniform, strengths)[0]

            def is_enough(wins: np.ndarray, wanted: float = wanted, strengths: np.ndarray = strengths) -> bool:
                return widths(wins, strengths)[0] <= wanted

            ratios.append(votes_until(is_enough, np.zeros((9, 9)), strengths, UNIFORM_SHARE, seed) / 2500)
        elo = 400 / np.log(10) * np.ptp(strengths)
        bench(f"votes of active over uniform pairs, {elo:.0f} Elo apart", float(np.mean(ratios)), "ratio")
