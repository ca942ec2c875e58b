"""A duel may be looked at after every vote and is seldom wrong; planning agrees with judging."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.duel import Outcome, judge, votes_still_needed

counts = st.integers(0, 400)


@given(counts, counts, counts)
def test_the_interval_holds_the_share_and_turns_with_the_sides(wins: int, losses: int, ties: int) -> None:
    duel, turned = judge(wins, losses, ties), judge(losses, wins, ties)
    assert duel.share is None or duel.low <= duel.share <= duel.high
    assert (duel.low, duel.high) == pytest.approx((1 - turned.high, 1 - turned.low), abs=1e-9)


def test_ends_of_the_interval_are_where_the_mixture_beats_the_share_twenty_times() -> None:
    duel = judge(30, 10)
    share = np.linspace(1e-6, 1 - 1e-6, 200_001)
    mixture = np.trapezoid(share**30 * (1 - share) ** 10, share)
    inside = share[mixture / (share**30 * (1 - share) ** 10) < 20]
    assert (duel.low, duel.high) == pytest.approx((inside[0], inside[-1]), abs=1e-4)


def test_no_vote_and_only_ties_decide_nothing() -> None:
    for duel in (judge(0, 0), judge(0, 0, 500)):
        assert (duel.share, duel.low, duel.high, duel.outcome) == (None, 0.0, 1.0, Outcome.OPEN)
        assert votes_still_needed(duel) is None


def test_equals_are_told_apart_by_mistake_in_at_most_one_of_twenty_gates() -> None:
    """Looked at after each of 300 votes, over 600 gates between equals."""
    wins = np.random.default_rng(7).integers(0, 2, (600, 300)).cumsum(axis=1)
    least = [2]
    for votes in range(1, 301):
        enough = least[-1]
        while enough <= votes and judge(enough, votes - enough).low <= 0.5:
            enough += 1
        least.append(enough)
    losses = np.arange(1, 301) - wins
    wrong = ((wins >= least[1:]) | (losses >= least[1:])).any(axis=1)
    assert 0 < wrong.mean() <= 0.05


@pytest.mark.parametrize(("wins", "losses", "ties"), [(6, 4, 2), (30, 25, 10), (3, 0, 0), (10, 18, 5)])
def test_the_votes_still_needed_are_enough_and_hardly_more(wins: int, losses: int, ties: int) -> None:
    duel = judge(wins, losses, ties)
    needed = votes_still_needed(duel)
    assert needed is not None
    more, fewer = 1 + 1.05 * needed / duel.votes, 1 + 0.7 * needed / duel.votes
    assert judge(round(wins * more), round(losses * more)).outcome is not Outcome.OPEN
    assert judge(round(wins * fewer), round(losses * fewer)).outcome is Outcome.OPEN


def test_decided_needs_nothing_more_and_equals_more_than_anybody_gives() -> None:
    assert votes_still_needed(judge(90, 10)) == 0
    assert votes_still_needed(judge(50, 50)) is None


def test_what_makes_no_sense_is_refused() -> None:
    for wrong in ((-1, 0, 0, 0.95), (1, 1, 0, 1.0)):
        with pytest.raises(ValueError, match="counts"):
            judge(*wrong)
