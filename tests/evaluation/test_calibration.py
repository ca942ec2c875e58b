"""HPA weights from ratings: against another solver, in a world of known weights, and where there is nothing to fit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from evaluation.calibration import ENOUGH_PRODUCERS, NotCalibrated, calibrate, correlations, fit_line

AXES = ("preservation", "completion", "fidelity")
TRUE = np.array([0.5, 0.2, 0.3])


def producers(seed: int, count: int = 9, noise: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores on three axes and ratings that follow their true mix, with the error that some 3,000 votes leave."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.1, 0.9, (count, 3))
    return scores, 900 + 700 * scores @ TRUE + rng.normal(0, noise, count)


def by_slsqp(scores: np.ndarray, ratings: np.ndarray) -> tuple[np.ndarray, float]:
    """The simplex written as constraints for a general optimiser, on standardised ratings."""

    def loss(free: np.ndarray) -> float:
        return float(np.mean((free[0] + free[1] * scores @ free[2:] - ratings / 100) ** 2))

    found = minimize(
        loss,
        [10, 1, 1 / 3, 1 / 3, 1 / 3],
        method="SLSQP",
        bounds=[(None, None), (0, None), (0, 1), (0, 1), (0, 1)],
        constraints={"type": "eq", "fun": lambda free: free[2:].sum() - 1},
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    return found.x[2:], 100 * found.x[1]


@pytest.mark.parametrize("seed", range(6))
def test_non_negative_least_squares_is_the_optimum_on_the_simplex(seed: int) -> None:
    scores, ratings = producers(seed, noise=90)
    line = fit_line(scores, ratings)
    weights, slope = by_slsqp(scores, ratings)
    assert np.abs(line.weights - weights).max() < 1e-4
    assert line.slope == pytest.approx(slope, rel=1e-3)
    assert line.weights.sum() == pytest.approx(1)


def test_an_axis_that_falls_with_the_ratings_gets_no_weight() -> None:
    scores, _ = producers(1)
    line = fit_line(scores, 1000 + 500 * scores[:, 0] - 300 * scores[:, 1])
    assert line.weights[1] == 0


def test_where_no_axis_rises_the_weights_are_equal_and_the_line_is_flat() -> None:
    scores, _ = producers(2)
    line = fit_line(scores, 1000 - 500 * scores.mean(1))
    assert line.weights == pytest.approx([1 / 3] * 3)
    assert line.slope == 0
    assert line.ratings(scores) == pytest.approx([line.ratings(scores).mean()] * 9)


def test_a_known_mix_is_recovered_within_the_intervals() -> None:
    inside = []
    for seed in range(20):
        scores, ratings = producers(seed)
        drawn = ratings + np.random.default_rng(seed).normal(0, 12, (400, 9))
        found = calibrate(AXES, scores, ratings, drawn, seed)
        inside += [weight.low <= true <= weight.high for weight, true in zip(found.weights, TRUE, strict=True)]
    assert np.mean(inside) >= 0.9


@pytest.mark.parametrize("seed", range(5))
def test_calibrated_hpa_beats_every_single_metric_on_producers_held_out(seed: int) -> None:
    found = calibrate(AXES, *producers(seed))
    calibrated, equal, *others = found.rows
    singles = others[:3]
    assert [row.name for row in singles] == list(AXES)
    assert all(calibrated.held_out_error < row.held_out_error for row in singles)
    assert all(calibrated.held_out_order > row.held_out_order for row in singles)
    assert calibrated.held_out_error < equal.held_out_error
    assert [row.name for row in others[3:]] == [
        "preservation + completion",
        "preservation + fidelity",
        "completion + fidelity",
    ]


def test_held_out_means_held_out() -> None:
    """One producer's rating is nonsense: predicting it from the others must fail by about as much."""
    scores, ratings = producers(3, noise=0)
    ratings[4] += 600
    assert calibrate(AXES, scores, ratings).rows[0].held_out_error > 600 / np.sqrt(9)


def test_correlations_are_those_of_scipy() -> None:
    rng = np.random.default_rng(4)
    scores, ratings = rng.integers(0, 5, (3, 10)).astype(float), rng.normal(size=(3, 10))
    expected = [
        [measure(*rows).statistic for measure in (stats.pearsonr, stats.spearmanr, stats.kendalltau)]
        for rows in zip(scores, ratings, strict=True)
    ]
    assert correlations(scores, ratings) == pytest.approx(np.array(expected))
    assert np.isnan(correlations(np.ones(5), np.arange(5.0))).all()


def test_few_producers_are_said_to_be_few() -> None:
    assert not calibrate(AXES, *producers(1, count=ENOUGH_PRODUCERS - 1)).is_enough
    assert calibrate(AXES, *producers(1, count=ENOUGH_PRODUCERS)).is_enough


def test_equal_axes_show_in_the_condition_number() -> None:
    scores, ratings = producers(5)
    apart = calibrate(AXES, scores, ratings).condition
    scores[:, 2] = scores[:, 1] + 0.001 * scores[:, 2]
    assert calibrate(AXES, scores, ratings).condition > 50 * apart


@pytest.mark.parametrize(
    ("scores", "ratings", "code"),
    [
        (np.eye(3), np.arange(3.0), "too_few_producers"),
        (np.array([[np.nan, 1, 1]] * 9), np.arange(9.0), "not_a_number"),
        (producers(1)[0], np.full(9, 1000.0), "no_difference"),
        (np.ones((9, 3)), np.arange(9.0), "no_difference"),
    ],
)
def test_what_cannot_be_calibrated_says_why(scores: np.ndarray, ratings: np.ndarray, code: str) -> None:
    with pytest.raises(NotCalibrated) as refused:
        calibrate(AXES, scores, ratings)
    assert refused.value.code == code
