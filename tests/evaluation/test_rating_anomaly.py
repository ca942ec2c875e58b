"""Careless voters of every kind are found early, honest ones are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.rating_anomaly import LEAST_VOTES, suspicions
from evaluation.rating_votes import Votes
from tests.evaluation.worlds import NINE, world


def with_habit(votes: Votes, annotator: int, said: np.ndarray) -> Votes:
    mine = votes.annotator == annotator
    outcome = np.where(mine, said, votes.outcome)
    return Votes(votes.producers, votes.left, votes.right, outcome, votes.photo, votes.annotator)


@pytest.mark.parametrize(
    ("habit", "said"), [("left", 1), ("right", -1), ("tie", 0)]
)  # fmt: skip
def test_who_always_presses_one_key_is_flagged_as_soon_as_it_is_allowed(habit: str, said: int) -> None:
    votes = with_habit(world(1), 4, np.full(3000, said))
    worst, *others = suspicions(votes)
    assert (worst.annotator, worst.habit, worst.flagged_after) == (4, habit, LEAST_VOTES)
    assert not any(suspicion.is_flagged for suspicion in others)


def test_who_says_the_opposite_is_flagged() -> None:
    votes = world(2)
    worst, *others = suspicions(with_habit(votes, 0, -votes.outcome))
    assert (worst.annotator, worst.habit) == (0, "opposite")
    assert worst.is_flagged
    assert not any(suspicion.is_flagged for suspicion in others)


def test_of_240_honest_people_at_most_one_is_flagged() -> None:
    flags = [suspicion.is_flagged for seed in range(20) for suspicion in suspicions(world(seed, votes=2000))]
    assert len(flags) == 240
    assert sum(flags) <= 1


def test_somebody_with_few_votes_is_never_flagged() -> None:
    votes = with_habit(world(3), 4, np.ones(3000, int))
    few = np.flatnonzero(votes.annotator == 4)[: LEAST_VOTES - 1]
    rest = np.flatnonzero(votes.annotator != 4)
    assert not any(suspicion.is_flagged for suspicion in suspicions(votes.only(np.sort(np.r_[few, rest]))))


def test_a_lone_voter_has_nobody_to_be_compared_with() -> None:
    assert suspicions(world(4, people=1, strengths=NINE[:3])) == []
