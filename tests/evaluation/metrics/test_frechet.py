import warnings

import numpy as np
import pytest
import torch
from cleanfid.fid import frechet_distance
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchmetrics.image.fid import _compute_fid

from evaluation.metrics.frechet import TooFewSamples, frechet, frechet_infinity, frechet_of_samples, gaussian_of

CASES = [(100, 64), (500, 64), (100, 256), (1000, 256)]


def features(n, d, seed):
    """Correlated, with a mean of their own."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) / d**0.5
    return torch.from_numpy(mixed + rng.normal(0, 0.3, d))


@pytest.mark.parametrize(("n", "d"), CASES)
def test_clean_fid_agrees(n, d):
    x, y = features(n, d, 1), features(n + 7, d, 2)
    sides = [(side.numpy().mean(axis=0), np.cov(side.numpy(), rowvar=False)) for side in (x, y)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = frechet_distance(*sides[0], *sides[1])
    assert frechet_of_samples(x, y) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("n", "d"), CASES)
def test_torchmetrics_agrees(n, d):
    x, y = features(n, d, 3), features(n + 7, d, 4)
    expected = _compute_fid(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T))
    assert frechet_of_samples(x, y) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(("n", "d"), CASES)
def test_torch_fidelity_agrees(n, d):
    x, y = features(n, d, 5), features(n + 7, d, 6)
    sides = [fid_features_to_statistics(side) for side in (x, y)]
    expected = fid_statistics_to_metric(*sides, verbose=False)["frechet_inception_distance"]
    assert frechet_of_samples(x, y) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("n", "d"), CASES)
def test_both_ways_to_the_trace_agree(n, d):
    x, y = features(n, d, 7), features(n + 7, d, 8)
    assert frechet(gaussian_of(x), gaussian_of(y)) == pytest.approx(frechet_of_samples(x, y), rel=1e-5)


def test_diagonal_gaussians_have_a_closed_form():
    def exactly(mean, spread):
        """Few samples whose covariance is exactly diag(spread squared)."""
        corners = torch.tensor([[a, b, c] for a in (-1.0, 1.0) for b in (-1.0, 1.0) for c in (-1.0, 1.0)])
        return mean + corners * spread * (7 / 8) ** 0.5

    x = exactly(torch.zeros(3), torch.tensor([1.0, 2.0, 3.0]))
    y = exactly(torch.tensor([1.0, 0.0, 2.0]), torch.tensor([2.0, 2.0, 1.0]))
    assert frechet_of_samples(x, y) == pytest.approx(5 + 1 + 0 + 4, rel=1e-6)


def test_equal_sets_are_at_zero_and_a_shift_adds_its_square():
    x = features(300, 32, 9)
    assert frechet_of_samples(x, x) == pytest.approx(0, abs=1e-6)
    assert frechet_of_samples(x, x + 0.5) == pytest.approx(32 * 0.25, rel=1e-6)
    few = features(20, 64, 9)
    assert frechet_of_samples(few, few + 0.5) == pytest.approx(64 * 0.25, rel=1e-6)


def test_the_limit_takes_most_of_the_bias_away():
    finite, limit = [], []
    for seed in range(4):
        x, y = (torch.from_numpy(np.random.default_rng([seed, side]).normal(size=(400, 64))) for side in (0, 1))
        finite.append(frechet_of_samples(x, y))
        limit.append(frechet_infinity(x, y))
    assert np.mean(finite) > 2
    assert abs(np.mean(limit)) < 0.2 * np.mean(finite)


def test_too_few_samples_and_broken_features_are_named():
    with pytest.raises(TooFewSamples):
        frechet_of_samples(torch.zeros(1, 4), torch.zeros(5, 4))
    with pytest.raises(TooFewSamples):
        frechet_infinity(torch.zeros(15, 4), torch.zeros(15, 4))
    with pytest.raises(ValueError, match="not finite"):
        frechet_of_samples(torch.full((5, 4), torch.nan), torch.zeros(5, 4))
    with pytest.raises(ValueError, match="4 and 5 dimensions"):
        frechet_of_samples(torch.zeros(9, 4), torch.zeros(9, 5))
