"""Votes that are still needed, and votes that the first place hangs on."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.rating import ELO, fit, rate
from evaluation.rating_planning import information, votes_still_needed, votes_that_flip_the_first_place
from evaluation.rating_votes import Votes
from tests.evaluation.worlds import NINE, TIE, names, outcomes, world


def test_neighbours_that_are_apart_need_nothing() -> None:
    board = rate(world(1, votes=20_000, strengths=np.array([1.0, 0.0, -1.0])), resamples=200)
    gaps = votes_still_needed(board)
    assert [(gap.better, gap.worse, gap.more) for gap in gaps] == [
        ("producer 0", "producer 1", 0),
        ("producer 1", "producer 2", 0),
    ]
    assert all(gap.low > 0 for gap in gaps)


def test_equal_neighbours_are_not_chased_for_ever() -> None:
    board = rate(world(2, votes=4000, strengths=np.array([0.5, 0.0, 0.0, -0.5])), resamples=200)
    middle = votes_still_needed(board)[1]
    assert middle.low < 0 < middle.high
    assert middle.more is None or middle.more > 1000


def test_the_votes_that_were_planned_do_it() -> None:
    """Give exactly the votes asked for, with the gap as it was estimated: the interval then ends about at zero."""
    votes = world(2, votes=700, strengths=np.array([0.30, 0.1, -0.40]))
    board = rate(votes, resamples=2000)
    gap = votes_still_needed(board, 0.99)[0]
    assert gap.more, "this world must need votes, or the test says nothing"
    ends = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        margin = np.full(gap.more, gap.gap / ELO)
        more = Votes(
            names(3),
            np.r_[votes.left, np.full(gap.more, int(gap.better[-1]))],
            np.r_[votes.right, np.full(gap.more, int(gap.worse[-1]))],
            np.r_[votes.outcome, outcomes(margin, fit(votes).tie, rng)],
            np.r_[votes.photo, rng.integers(300, size=gap.more)],
            np.r_[votes.annotator, rng.integers(12, size=gap.more)],
        )
        after = votes_still_needed(rate(more, resamples=200), 0.99)[0]
        ends.append((after.high - after.low) / 2)
    assert np.median(ends) == pytest.approx(gap.gap, rel=0.1)


def test_more_confidence_needs_more_votes() -> None:
    board = rate(world(2, votes=700, strengths=np.array([0.30, 0.1, -0.40])), resamples=300)
    low, high = (votes_still_needed(board, confidence)[0].more for confidence in (0.98, 0.999))
    assert low is not None
    assert high is not None
    assert 0 < low < high
    with pytest.raises(ValueError, match="confidence"):
        votes_still_needed(board, 1.0)


def test_information_is_the_curvature_of_the_likelihood() -> None:
    def log_chances(margin: float) -> np.ndarray:
        logits = np.array([-margin / 2, np.log(TIE), margin / 2])
        return logits - np.logaddexp.reduce(logits)

    step, margin = 1e-3, 0.7
    bend = (log_chances(margin + step) - 2 * log_chances(margin) + log_chances(margin - step)) / step**2
    chances = np.exp(log_chances(margin))
    assert information(chances) == pytest.approx(-(chances @ bend), rel=1e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_so_many_votes_flip_the_first_place_and_far_fewer_at_random_do_not(seed: int) -> None:
    votes = world(seed, votes=1200, strengths=NINE[[0, 2, 4]])
    board = rate(votes, resamples=50)
    flips = votes_that_flip_the_first_place(board)
    first = board.fit.strengths.argmax()
    for_first = (votes.left == first) & (votes.outcome == 1) | (votes.right == first) & (votes.outcome == -1)
    second = np.argsort(-board.fit.strengths)[1]
    direct = for_first & ((votes.left == second) | (votes.right == second))
    dropped = np.flatnonzero(direct)[: flips + 1]
    assert len(dropped) == flips + 1
    assert fit(votes.only(np.delete(np.arange(1200), dropped))).strengths.argmax() != first
    at_random = np.random.default_rng(seed).permutation(1200)[flips:]
    assert fit(votes.only(at_random)).strengths.argmax() == first
