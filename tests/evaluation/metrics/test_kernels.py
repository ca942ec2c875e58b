import numpy as np
import pytest
import torch
from cleanfid.fid import kernel_distance
from torch_fidelity.metric_kid import kernel_poly, kid_features_to_metric, mmd2
from torchmetrics.image.kid import KernelInceptionDistance, poly_mmd

from evaluation.metrics import kernels
from evaluation.metrics.frechet import TooFewSamples
from evaluation.metrics.kernels import cmmd, kid, paired_kid

POLYNOMIAL = {"kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}


def features(n, d=48, seed=0, shift=0.0):
    return torch.from_numpy(np.random.default_rng(seed).normal(shift, 1, (n, d)))


def test_clean_fid_agrees_on_kid():
    x, y = features(200, seed=1), features(200, seed=2, shift=0.2)
    theirs = kernel_distance(x.numpy(), y.numpy(), num_subsets=1, max_subset_size=200)
    assert kid(x, y) == pytest.approx(theirs, abs=1e-6)


def test_torchmetrics_agrees_on_kid():
    x, y = features(150, seed=3), features(150, seed=4, shift=0.2)
    assert kid(x, y) == pytest.approx(float(poly_mmd(x, y)), abs=1e-6)


def test_torchmetrics_whole_metric_agrees_on_kid():
    x, y = features(64, seed=5).float(), features(64, seed=6, shift=0.3).float()
    theirs = KernelInceptionDistance(feature=torch.nn.Identity(), subsets=1, subset_size=64)
    theirs.update(x, real=True)
    theirs.update(y, real=False)
    assert kid(x, y) == pytest.approx(float(theirs.compute()[0]), abs=1e-5)


def test_torch_fidelity_agrees_on_kid():
    x, y = features(120, seed=7), features(120, seed=8, shift=0.2)
    theirs = kid_features_to_metric(
        x, y, kid_subsets=1, kid_subset_size=120, kid_kernel="poly", kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1, rng_seed=0, verbose=False,
    )  # fmt: skip
    assert kid(x, y) == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6)


def test_torch_fidelity_agrees_on_kid_of_pairs():
    x = features(120, seed=7)
    y = x + features(120, seed=8, shift=0.2) / 4
    matrices = [kernel_poly(a.numpy(), b.numpy(), **POLYNOMIAL) for a, b in ((x, x), (x, y), (y, y))]
    assert paired_kid(x, y) == pytest.approx(mmd2(*matrices, mmd_est="u-statistic"), abs=1e-6)


def test_only_the_paired_form_stays_unbiased_when_predictions_resemble_their_truths():
    plain, paired = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        shared = rng.normal(0, 3, (60, 16))
        x, y = (torch.from_numpy(shared + rng.normal(0, 0.3, (60, 16))) for _ in range(2))
        plain.append(kid(x, y))
        paired.append(paired_kid(x, y))
    assert np.mean(plain) < -10 * np.std(plain) / 30**0.5
    assert abs(np.mean(paired)) < 3 * np.std(paired) / 30**0.5


def test_kid_of_equal_distributions_is_around_zero():
    values = [kid(features(100, seed=2 * k), features(100, seed=2 * k + 1)) for k in range(40)]
    assert abs(np.mean(values)) < 3 * np.std(values) / 40**0.5
    assert min(values) < 0 < max(values)


def dense_cmmd(x, y):
    """Written out pair by pair."""
    x, y = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (x.numpy(), y.numpy()))

    def mean(a, b):
        return np.mean([[np.exp(-np.sum((p - q) ** 2) / 200) for q in b] for p in a])

    return 1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y))


def test_cmmd_is_the_published_estimator():
    x, y = features(30, seed=1), features(25, seed=2, shift=0.5)
    assert cmmd(x, y) == pytest.approx(dense_cmmd(x, y), abs=1e-6)


def test_chunks_change_nothing(monkeypatch):
    x, y = features(70, seed=1), features(65, seed=2, shift=0.5)
    whole = kid(x, y), paired_kid(x[:65], y), cmmd(x, y)
    monkeypatch.setattr(kernels, "CHUNK", 16)
    assert (kid(x, y), paired_kid(x[:65], y), cmmd(x, y)) == pytest.approx(whole, rel=1e-9)


def test_cmmd_of_a_set_with_itself_is_zero():
    x = features(50)
    assert cmmd(x, x) == pytest.approx(0, abs=1e-9)


def test_too_few_samples_are_named():
    with pytest.raises(TooFewSamples):
        kid(features(1), features(9))
    with pytest.raises(TooFewSamples):
        paired_kid(features(1), features(1))
    with pytest.raises(ValueError, match="8 and 9"):
        paired_kid(features(8), features(9))
    with pytest.raises(TooFewSamples):
        cmmd(features(0), features(9))
