"""Ratings from votes: right where the answer is known otherwise, undefined where there is none."""

from __future__ import annotations

import choix
import evalica
import numpy as np
import pytest
from scipy.optimize import minimize

from evaluation.rating import ELO, fit, rank_range, rate
from evaluation.rating_online_elo import online_elo
from evaluation.rating_votes import NotRatable, Votes, linked
from tests.evaluation.worlds import NINE, names, world


def votes_of(*said: tuple[int, int, int], producers: int = 3) -> Votes:
    left, right, outcome = np.array(said or np.empty((0, 3), int)).T
    place = np.arange(len(left))
    return Votes(names(producers), left, right, outcome, place, place % 3)


def davidson_by_bfgs(votes: Votes) -> tuple[np.ndarray, float]:
    """The same likelihood, written down once more and climbed by a general optimiser."""

    def loss(free: np.ndarray) -> float:
        strengths, tie = free[:-1], free[-1]
        a, b = strengths[votes.left], strengths[votes.right]
        logits = np.stack([b, (a + b) / 2 + tie, a])
        chosen = logits[votes.outcome + 1, np.arange(len(votes))]
        return float((np.logaddexp.reduce(logits) - chosen).sum())

    found = minimize(loss, np.zeros(len(votes.producers) + 1), method="BFGS").x
    return found[:-1] - found[:-1].mean(), float(np.exp(found[-1]))


def test_without_ties_it_is_the_bradley_terry_of_choix() -> None:
    votes = world(1, votes=2000, tie=0.0)
    won = np.where(votes.outcome == 1, votes.left, votes.right)
    lost = np.where(votes.outcome == 1, votes.right, votes.left)
    expected = choix.ilsr_pairwise(9, list(zip(won.tolist(), lost.tolist(), strict=True)), max_iter=500, tol=1e-12)
    assert np.abs(fit(votes).strengths - (expected - expected.mean())).max() < 1e-6


def test_with_ties_it_is_the_newman_of_evalica() -> None:
    votes = world(1, votes=2000)
    winners = [{1: evalica.Winner.X, 0: evalica.Winner.Draw, -1: evalica.Winner.Y}[said] for said in votes.outcome]
    found = evalica.newman(votes.left.tolist(), votes.right.tolist(), winners, tolerance=1e-12, limit=10_000)
    expected = np.log(found.scores.sort_index().to_numpy())
    ours = fit(votes)
    assert np.abs(ours.strengths - (expected - expected.mean())).max() < 1e-6
    assert ours.tie == pytest.approx(2 * found.v, abs=1e-6)


@pytest.mark.parametrize("ties", [0, 1, 9])
def test_it_settles_where_comparisons_form_no_odd_cycle(ties: int) -> None:
    """A star: newcomers were compared with one producer only. There the iteration of Newman swings for ever."""
    said = [(0, 1, 1)] * 50 + [(1, 0, 1)] * 20 + [(0, 2, 1)] * 30 + [(2, 0, 1)] * 25 + [(0, 1, 0)] * ties
    votes = votes_of(*said)
    strengths, tie = davidson_by_bfgs(votes)
    assert np.abs(fit(votes).strengths - strengths).max() < 1e-3
    assert fit(votes).tie == pytest.approx(tie, abs=1e-3)


def test_with_ties_it_is_the_maximum_of_davidsons_likelihood() -> None:
    votes = world(2, votes=600, strengths=NINE[:4])
    found = fit(votes)
    strengths, tie = davidson_by_bfgs(votes)
    assert np.abs(found.strengths - strengths).max() < 1e-4
    assert found.tie == pytest.approx(tie, abs=1e-4)


def test_a_vote_of_weight_two_is_two_votes() -> None:
    votes = world(3, votes=400, strengths=NINE[:3])
    weights = np.where(np.arange(400) < 100, 2.0, 1.0)
    doubled = votes.only(np.r_[np.arange(400), np.arange(100)])
    assert np.abs(fit(votes, weights).strengths - fit(doubled).strengths).max() < 1e-6


def test_the_order_of_votes_and_the_sides_do_not_matter() -> None:
    votes = world(4, votes=500, strengths=NINE[:4])
    turned = Votes(votes.producers, votes.right, votes.left, -votes.outcome, votes.photo, votes.annotator)
    backwards = turned.only(np.arange(len(votes))[::-1])
    assert np.abs(fit(backwards).strengths - fit(votes).strengths).max() < 1e-9


def test_four_hundred_points_are_odds_of_ten_to_one() -> None:
    votes = votes_of(*[(0, 1, 1)] * 100, *[(1, 0, 1)] * 10, producers=2)
    better, worse = fit(votes).elo
    assert better - worse == pytest.approx(400, abs=1e-3)
    assert better + worse == pytest.approx(2000)


def test_chances_add_up_and_follow_the_strengths() -> None:
    found = fit(world(5, strengths=NINE[:3]))
    chances = found.chances(np.array([0, 0]), np.array([1, 2]))
    assert chances.sum(-1) == pytest.approx(1)
    assert chances[1, 2] > chances[0, 2] > chances[0, 0]


@pytest.mark.parametrize(
    ("votes", "code"),
    [
        (votes_of(producers=1), "one_producer"),
        (votes_of(producers=2), "no_votes"),
        (votes_of((0, 1, 0), (1, 0, 0), producers=2), "all_ties"),
        (votes_of((0, 1, 1), (0, 1, 1), producers=2), "not_connected"),
        (votes_of((0, 1, 1), (1, 0, 1), producers=3), "not_connected"),
    ],
)
def test_votes_that_cannot_be_rated_say_why(votes: Votes, code: str) -> None:
    with pytest.raises(NotRatable) as refused:
        fit(votes)
    assert refused.value.code == code


def test_who_only_lost_is_not_linked_and_a_tie_links() -> None:
    both_ways = [(0, 1, 1), (1, 0, 1)]
    assert linked(votes_of(*both_ways, (0, 2, 1))) == [[0, 1], [2]]
    assert linked(votes_of(*both_ways, (0, 2, 0))) == [[0, 1, 2]]


def test_a_board_leaves_out_those_that_are_not_linked_yet() -> None:
    known = world(6, votes=900, strengths=NINE[:3])
    with_newcomer = Votes(
        names(4),
        np.r_[known.left, 0],
        np.r_[known.right, 3],
        np.r_[known.outcome, 1],
        np.r_[known.photo, 0],
        np.r_[known.annotator, 0],
    )
    board = rate(with_newcomer, resamples=50)
    assert board.unrated == ["producer 3"]
    assert sorted(row.producer for row in board.rows) == list(names(3))
    assert sum(row.votes for row in board.rows) == 2 * 900


def test_a_producer_is_not_compared_with_itself() -> None:
    with pytest.raises(ValueError, match="itself"):
        votes_of((1, 1, 0))


def test_ranks_are_ranges_where_intervals_meet() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([3.0, 1.0, 0.98, -2.0]) + rng.normal(0, 0.05, (500, 4))
    best, worst = rank_range(drawn)
    assert best.tolist() == [1, 2, 2, 4]
    assert worst.tolist() == [1, 3, 3, 4]


def test_resampling_photos_is_wider_where_photos_differ() -> None:
    """400 votes on each of 15 photos are not 6,000 independent ones."""
    votes = world(7, votes=6000, photos=15, photo_spread=0.8, strengths=NINE[:4])
    single = Votes(*[getattr(votes, name) for name in ("producers", "left", "right", "outcome")],
                   np.arange(len(votes)), votes.annotator)  # fmt: skip
    by_photo, by_vote = rate(votes, resamples=200), rate(single, resamples=200)
    widths = [np.mean([row.high - row.low for row in board.rows]) for board in (by_photo, by_vote)]
    assert widths[0] > 2 * widths[1]


def test_online_elo_depends_on_the_order_and_the_fit_does_not() -> None:
    votes = world(8, votes=2000)
    shown = online_elo(votes, shuffles=30)
    assert np.corrcoef(shown.mean, fit(votes).elo)[0, 1] > 0.98
    assert (shown.high - shown.low).min() > 40
    with pytest.raises(ValueError, match="no votes"):
        online_elo(votes_of(producers=2))


def test_elo_is_a_scale_of_logits() -> None:
    assert pytest.approx(173.7178) == ELO
