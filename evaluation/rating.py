"""Ratings of producers from blind votes, and how sure they are. The model is in ``evaluation.rating_davidson``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from evaluation.rating_davidson import most_likely
from evaluation.rating_votes import Array, Votes, linked, require_ratable

ELO = 400 / np.log(10)
CENTRE = 1000.0
RESAMPLES = 1000
ROUGH = 1e-4
"""For resamples: steps of a fiftieth of an Elo point, and the next step would be its square."""


@dataclass(frozen=True, slots=True)
class Fit:
    """``strengths`` [K] in logits with mean 0; ``tie`` is Davidson's nu, 0 without ties."""

    strengths: Array
    tie: float

    @property
    def elo(self) -> Array:
        """The same on the scale people know: 400 points are odds of ten to one. For display only."""
        return CENTRE + ELO * self.strengths

    def chances(self, left: Array, right: Array) -> Array:
        """[..., 3] chances that right wins, that it is a tie, that left wins."""
        a, b = self.strengths[left], self.strengths[right]
        logits = np.stack([b, (a + b) / 2 + np.log(max(self.tie, 1e-12)), a], -1)
        shares = np.exp(logits - logits.max(-1, keepdims=True))
        return np.asarray(shares / shares.sum(-1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Rated:
    """One producer on a board. Bounds are 95 % percentile bootstrap intervals.

    ``low`` and ``high`` resample photos: will it hold on new photos? ``low_people`` and ``high_people`` resample
    annotators: with other people? With few people the second is rough. Ranks are a range: 1 + those surely better, and
    the number of producers - those surely worse.
    """

    producer: str
    rating: float
    low: float
    high: float
    low_people: float
    high_people: float
    rank_low: int
    rank_high: int
    votes: int


@dataclass(frozen=True, slots=True)
class Board:
    """The producers that are linked by votes, best first, and the names of those that are not yet.

    ``fit`` and ``covariance`` [K, K] (of the strengths, by photos) are in the order of ``votes.producers``, which are
    the linked ones.
    """

    rows: list[Rated]
    unrated: list[str]
    votes: Votes
    fit: Fit
    covariance: Array


def fit(votes: Votes, weights: Array | None = None) -> Fit:
    """The most likely strengths; ``weights`` [N] count votes more or less. Raises ``NotRatable``."""
    require_ratable(votes)
    table = votes.patterns
    counts = table.counts if weights is None else np.bincount(table.of_vote, weights, len(table.counts))
    [strengths], [tie] = most_likely(table, len(votes.producers), counts[None])
    return Fit(strengths, float(tie))


def rate(votes: Votes, seed: int = 0, resamples: int = RESAMPLES) -> Board:
    """Ratings with intervals. Producers that are not linked to the largest group of others by wins stay unrated.

    Raises ``NotRatable`` when not even two are linked.
    """
    groups = linked(votes) if len(votes) else []
    kept = sorted(groups[0]) if groups and len(groups[0]) > 1 else range(len(votes.producers))
    inside = votes.among(list(kept))
    best = fit(inside)
    rng = np.random.default_rng(seed)
    by_photo = resampled(inside, inside.photo, rng, resamples)
    by_people = resampled(inside, inside.annotator, rng, resamples)
    low, high = CENTRE + ELO * np.quantile(by_photo, (0.025, 0.975), axis=0)
    low_people, high_people = CENTRE + ELO * np.quantile(by_people, (0.025, 0.975), axis=0)
    rank_low, rank_high = rank_range(by_photo)
    taken_part = np.bincount(np.r_[inside.left, inside.right], minlength=len(inside.producers))
    rows = [
        Rated(
            name,
            float(best.elo[index]),
            float(low[index]),
            float(high[index]),
            float(low_people[index]),
            float(high_people[index]),
            int(rank_low[index]),
            int(rank_high[index]),
            int(taken_part[index]),
        )
        for index, name in enumerate(inside.producers)
    ]
    unrated = [name for name in votes.producers if name not in inside.producers]
    return Board(sorted(rows, key=lambda row: -row.rating), unrated, inside, best, np.cov(by_photo.T))


def resampled(votes: Votes, clusters: Array, rng: np.random.Generator, resamples: int = RESAMPLES) -> Array:
    """[resamples, K] strengths after drawing whole clusters with replacement (Cameron, Gelbach and Miller 2008).

    A resample in which the producers are not linked has no finite strengths; it gets very large ones, which widens the
    interval as it should.
    """
    table = votes.patterns
    names, cluster = np.unique(clusters, return_inverse=True)
    ones = np.ones(len(votes))
    said = coo_array((ones, (cluster, table.of_vote)), (len(names), len(table.counts))).tocsr()
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return most_likely(table, len(votes.producers), drawn @ said, ROUGH)[0]


def rank_range(drawn: Array) -> tuple[Array, Array]:
    """Best and worst rank [K] of each column of strengths [B, K], from the intervals of all differences."""
    low, high = np.quantile(drawn[:, :, None] - drawn[:, None, :], (0.025, 0.975), axis=0)
    others = ~np.eye(drawn.shape[1], dtype=bool)
    return 1 + ((high < 0) & others).sum(1), drawn.shape[1] - ((low > 0) & others).sum(1)
