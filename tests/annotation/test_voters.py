"""What probes say of a voter."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.models import Comparison, Vote
from annotation.selectors.voters import voters_of
from annotation.services.comparisons import gold_comparison, mirror_comparison
from annotation.services.leases import lease_end
from annotation.services.votes import undo_vote
from engine.models import Project
from tests.annotation.comparing import claim_vote, make_rivals, vote
from tests.annotation.judging import make_annotators


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


def hand(comparison: Comparison, user: Any) -> Comparison:
    comparison.status, comparison.holder, comparison.available_at = "leased", user, lease_end()
    comparison.save()
    return comparison


def test_gold_repeats_sides_and_pace_of_a_voter(project: Project, anna: Any) -> None:
    make_rivals(project, photos=4)
    for choice, pace in (("left", 1000), ("left", 3000), ("tie", 5000)):
        vote(anna, claim_vote(anna, project), choice, active_ms=pace)
    for choice in ("tie", "both_bad", "left"):
        vote(anna, hand(gold_comparison(project, anna), anna), choice, active_ms=3000)
    [voter] = voters_of(project)
    assert (voter.username, voter.votes) == ("anna", 3)
    assert (voter.gold, voter.gold_right) == (3, 2), "a layer beside itself is a tie, good or bad"
    assert (voter.left, voter.decided, voter.left_share) == (2, 2, 1.0)
    assert voter.median_ms == 3000


@pytest.mark.parametrize(("again", "same"), [("right", 1), ("left", 0), ("tie", 0)])
def test_a_repeat_agrees_when_the_same_layer_is_chosen_on_its_new_side(
    project: Project, anna: Any, again: str, same: int
) -> None:
    make_rivals(project, photos=2)
    vote(anna, claim_vote(anna, project), "left")
    vote(anna, hand(mirror_comparison(project, anna, gap=0), anna), again)
    [voter] = voters_of(project)
    assert (voter.repeats, voter.repeats_same, voter.votes) == (1, same, 1)


def test_votes_that_were_taken_back_say_nothing(project: Project, anna: Any) -> None:
    make_rivals(project, photos=1)
    undo_vote(user=anna, vote=vote(anna, claim_vote(anna, project)))
    assert Vote.objects.count() == 1
    assert voters_of(project) == []
