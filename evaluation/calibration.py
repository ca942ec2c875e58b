"""HPA against people: the weights of its three axes fitted to ratings, and how far any of it agrees with them.

A calibration is of producers, not of pictures: fidelity exists per set only. With nine producers a Pearson correlation
of .96 has a 95 % range of .82 to .99, so read the intervals before you read the order of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import nnls
from scipy.stats import rankdata

from evaluation.rating_votes import Array

ENOUGH_PRODUCERS = 8
"""With fewer, fitted weights were no better than equal ones in simulation: nothing is claimed."""
LEAST_PRODUCERS = 4
RESAMPLES = 1000


class NotCalibrated(ValueError):
    """No calibration of this data. ``code`` is ``too_few_producers``, ``not_a_number`` or ``no_difference``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Number:
    """A value with the bounds of its 95 % percentile bootstrap interval; NaN where it has none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """``rating = intercept + slope * (scores @ weights)`` with weights on the simplex and a slope of at least 0."""

    weights: Array
    slope: float
    intercept: float

    def ratings(self, scores: Array) -> Array:
        return np.asarray(self.intercept + self.slope * (scores @ self.weights))


@dataclass(frozen=True, slots=True)
class Agreement:
    """One way to make a single score of the axes, against the ratings.

    ``held_out_error`` is the root mean square error in Elo when each producer is predicted from the others; fitted
    weights are then fitted without it too. ``held_out_order`` is Spearman's correlation of the scores made that way.
    """

    name: str
    pearson: Number
    spearman: Number
    kendall: Number
    held_out_error: float
    held_out_order: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """``rows``: the calibrated mean, the plain mean, each axis alone, and each pair as a plain mean, in this order.

    ``condition`` is the condition number of the centred scores: above some ten the weights of single axes mean little.
    """

    axes: tuple[str, ...]
    line: Line
    weights: tuple[Number, ...]
    rows: list[Agreement]
    producers: int
    condition: float

    @property
    def is_enough(self) -> bool:
        return self.producers >= ENOUGH_PRODUCERS


def fit_line(scores: Array, ratings: Array) -> Line:
    """Least squares under the constraints, for scores [K, M] and ratings [K] in Elo.

    Non-negative least squares on centred data (Lawson and Hanson 1974): the sum of the coefficients is the slope and
    their shares are the weights. Where no axis rises with the ratings the slope is 0 and the weights are equal.
    """
    centre, middle = scores.mean(0), ratings.mean()
    coefficients, _ = nnls(scores - centre, ratings - middle)
    slope = float(coefficients.sum())
    weights = coefficients / slope if slope > 0 else np.full(scores.shape[1], 1 / scores.shape[1])
    return Line(weights, slope, float(middle - slope * centre @ weights))


def calibrate(
    axes: Sequence[str], scores: Array, ratings: Array, drawn: Array | None = None, seed: int = 0
) -> Calibrated:
    """Fit and judge, for normalised scores [K, M] (higher is better) of K producers and their ratings [K].

    Intervals resample producers with replacement; with bootstrap draws [B, K] of the ratings, every resample also
    takes another draw, so that the doubt of the ratings is in them. Raises ``NotCalibrated``.
    """
    scores, ratings = np.asarray(scores, float), np.asarray(ratings, float)
    if len(ratings) < LEAST_PRODUCERS:
        detail = (
            f"A calibration needs at least {LEAST_PRODUCERS} producers with scores and ratings, not {len(ratings)}."
        )
        raise NotCalibrated("too_few_producers", detail)
    if not (np.isfinite(scores).all() and np.isfinite(ratings).all()):
        raise NotCalibrated("not_a_number", "A score or rating is not a finite number.")
    if np.ptp(ratings) == 0 or not np.ptp(scores, axis=0).any():
        raise NotCalibrated("no_difference", "All producers have the same rating or the same scores.")
    rng = np.random.default_rng(seed)
    picks = _resamples(len(ratings), rng)
    versions = (
        np.broadcast_to(ratings, (len(picks), len(ratings)))
        if drawn is None
        else drawn[rng.integers(len(drawn), size=len(picks))]
    )
    line = fit_line(scores, ratings)
    redrawn = np.array([fit_line(scores[pick], told[pick]).weights for pick, told in zip(picks, versions, strict=True)])
    weights = tuple(
        Number(float(value), *map(float, np.quantile(column, (0.025, 0.975))))
        for value, column in zip(line.weights, redrawn.T, strict=True)
    )
    everything = tuple(range(len(axes)))
    held_out = [fit_line(*_without(scores, ratings, index)) for index in range(len(ratings))]
    rows = [
        _agreement(
            "HPA, calibrated",
            scores @ line.weights,
            ratings,
            np.array([score @ one.weights for score, one in zip(scores, held_out, strict=True)]),
            np.array([one.ratings(score) for score, one in zip(scores, held_out, strict=True)]),
            picks,
            versions,
        )
    ]
    for chosen in (everything, *((one,) for one in everything), *combinations(everything, 2)):
        mean = scores[:, chosen].mean(1)
        alone = [fit_line(*_without(mean[:, None], ratings, index)) for index in range(len(ratings))]
        predicted = np.array([one.ratings(mean[index : index + 1]) for index, one in enumerate(alone)])
        name = "HPA, equal weights" if chosen == everything else " + ".join(axes[index] for index in chosen)
        rows.append(_agreement(name, mean, ratings, mean, predicted.ravel(), picks, versions))
    spread = scores - scores.mean(0)
    return Calibrated(tuple(axes), line, weights, rows, len(ratings), float(np.linalg.cond(spread)))


def correlations(scores: Array, ratings: Array) -> Array:
    """[..., 3] Pearson, Spearman and Kendall's tau-b of rows [..., K]; NaN where one side is constant.

    As in scipy.stats, for thousands of resamples at once.
    """
    signs = [np.sign(side[..., :, None] - side[..., None, :]) for side in (scores, ratings)]
    flat = [side.reshape(*side.shape[:-2], -1) for side in signs]
    return np.stack(
        [
            _pearson(scores, ratings),
            _pearson(rankdata(scores, axis=-1), rankdata(ratings, axis=-1)),
            _cosine(*flat),
        ],
        -1,
    )


def _pearson(one: Array, other: Array) -> Array:
    return _cosine(one - one.mean(-1, keepdims=True), other - other.mean(-1, keepdims=True))


def _cosine(one: Array, other: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray((one * other).sum(-1) / np.sqrt((one**2).sum(-1) * (other**2).sum(-1)))


def _agreement(
    name: str, scores: Array, ratings: Array, held_out: Array, predicted: Array, picks: Array, versions: Array
) -> Agreement:
    values = correlations(scores, ratings)
    drawn = correlations(scores[picks], np.take_along_axis(versions, picks, 1))
    low, high = np.full((2, 3), np.nan) if np.isnan(values).any() else np.nanquantile(drawn, (0.025, 0.975), axis=0)
    numbers = [Number(*map(float, bounds)) for bounds in zip(values, low, high, strict=True)]
    error = float(np.sqrt(np.mean((predicted - ratings) ** 2)))
    pearson, spearman, kendall = numbers
    return Agreement(name, pearson, spearman, kendall, error, float(correlations(held_out, ratings)[1]))


def _resamples(size: int, rng: np.random.Generator) -> Array:
    """[RESAMPLES, size] draws with at least three different producers each: two always lie on a line."""
    picks = rng.integers(size, size=(2 * RESAMPLES, size))
    different = np.array([np.unique(pick).size for pick in picks])
    return picks[different >= 3][:RESAMPLES]


def _without(scores: Array, ratings: Array, index: int) -> tuple[Array, Array]:
    return np.delete(scores, index, 0), np.delete(ratings, index)
