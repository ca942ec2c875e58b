"""Against a reference written for these tests from the definitions in Rhemann et al. (2009), sharing no code."""

import math

import numpy as np
import pytest
from scipy import ndimage

from evaluation.metrics.mattes import connectivity_error, gradient_error, mse, sad, soft_iou, unknown_band


def soft_disc(centre, radius, softness, side=80):
    y, x = np.mgrid[:side, :side]
    return np.clip(0.5 + (radius - np.hypot(x - centre[0], y - centre[1])) / softness, 0, 1)


CASES = {
    "shifted": (soft_disc((40, 40), 22, 6), soft_disc((43, 41), 22, 6)),
    "harder edge": (soft_disc((40, 40), 22, 10), soft_disc((40, 40), 22, 2)),
    "island": (soft_disc((30, 40), 18, 5), np.maximum(soft_disc((30, 40), 18, 5), soft_disc((66, 66), 7, 3))),
    "hole": (soft_disc((40, 40), 25, 5), soft_disc((40, 40), 25, 5) - 0.8 * soft_disc((40, 40), 8, 4)),
    "noise": (
        soft_disc((40, 40), 22, 6),
        np.clip(soft_disc((40, 40), 22, 6) + np.random.default_rng(0).normal(0, 0.2, (80, 80)), 0, 1),
    ),
}
BAND = np.hypot(*(np.mgrid[:80, :80] - 40)) < 30


def reference_gradient(truth, predicted, where):
    """Two full derivative-of-Gaussian filters, applied as plain sums over shifted copies."""
    sigma = 1.4
    reach = math.ceil(sigma * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * sigma * 0.01)))
    density = [math.exp(-(k**2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi)) for k in range(-reach, reach + 1)]
    slope = [-k * g / sigma**2 for k, g in zip(range(-reach, reach + 1), density, strict=True)]
    kernel = np.array([[g * s for s in slope] for g in density])
    kernel /= math.sqrt((kernel**2).sum())
    lengths = []
    for matte in (truth, predicted):
        across, down = (ndimage.correlate(matte, k, mode="nearest") for k in (kernel, kernel.T))
        lengths.append(np.sqrt(across**2 + down**2))
    return ((lengths[1] - lengths[0]) ** 2 * where).sum() / 1000


def reference_connectivity(truth, predicted, where):
    """For each pixel the highest threshold at which it still belongs to the largest shared region."""
    joined = np.full(truth.shape, -1.0)
    for step in range(1, 11):
        labels, count = ndimage.label((truth.round(9) >= step / 10) & (predicted.round(9) >= step / 10))
        largest = np.zeros(truth.shape, bool)
        if count:
            sizes = ndimage.sum_labels(np.ones(truth.shape), labels, range(1, count + 1))
            largest = labels == 1 + np.argmax(sizes)
        joined[(joined < 0) & ~largest] = (step - 1) / 10
    joined[joined < 0] = 1
    total = 0.0
    for t, p, level, counts in zip(truth.flat, predicted.flat, joined.flat, where.flat, strict=True):
        degrees = [1 - (v - level if round(v - level, 9) >= 0.15 else 0) for v in (t, p)]
        total += abs(degrees[1] - degrees[0]) * counts
    return total / 1000


@pytest.mark.parametrize("where", [np.ones((80, 80), bool), BAND], ids=["whole", "band"])
@pytest.mark.parametrize("case", CASES)
def test_all_measures_agree_with_the_reference(case, where):
    truth, predicted = CASES[case]
    assert sad(truth, predicted, where) == pytest.approx(
        sum(abs(p - t) for t, p in zip(truth[where], predicted[where], strict=True)) / 1000
    )
    assert mse(truth, predicted, where) == pytest.approx(np.mean((predicted[where] - truth[where]) ** 2))
    assert gradient_error(truth, predicted, where) == pytest.approx(reference_gradient(truth, predicted, where))
    assert connectivity_error(truth, predicted, where) == pytest.approx(
        reference_connectivity(truth, predicted, where), abs=1e-9
    )
    shared = sum(min(t, p) for t, p in zip(truth[where], predicted[where], strict=True))
    either = sum(max(t, p) for t, p in zip(truth[where], predicted[where], strict=True))
    assert soft_iou(truth, predicted, where) == pytest.approx(shared / either)


@pytest.mark.parametrize("measure", [sad, mse, gradient_error, connectivity_error])
def test_equal_mattes_have_no_error(measure):
    matte = CASES["shifted"][0]
    assert measure(matte, matte, np.ones(matte.shape, bool)) == 0


def test_connectivity_passes_over_what_stays_joined_and_charges_an_island():
    whole = np.ones((80, 80), bool)
    disc = np.where(soft_disc((30, 30), 18, 1) > 0.5, 1.0, 0.0)
    faint = 0.9 * disc
    assert sad(disc, faint, whole) > 0.09
    assert connectivity_error(disc, faint, whole) == 0
    island = disc.copy()
    island[60:70, 60:70] = 1
    assert connectivity_error(disc, island, whole) == pytest.approx(sad(disc, island, whole)) == pytest.approx(0.1)


def test_two_empty_mattes_agree():
    nothing = np.zeros((4, 4))
    assert soft_iou(nothing, nothing, np.ones((4, 4), bool)) == 1
    assert connectivity_error(nothing, nothing, np.ones((4, 4), bool)) == 0


def test_the_mean_over_nothing_is_an_error():
    with pytest.raises(ValueError, match="nothing"):
        mse(np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((4, 4), bool))


def test_the_band_holds_every_soft_pixel_and_the_contour_of_a_hard_matte():
    matte = CASES["harder edge"][0]
    assert unknown_band(matte, 3)[(matte > 0) & (matte < 1)].all()
    hard = np.zeros((60, 60))
    hard[20:40, 20:40] = 1
    band = unknown_band(hard, 4)
    assert band[20, 20:40].all()
    assert band[16, 30]
    assert not band[14, 30]
    assert not band[30, 30]
