from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation.degrade import halo
from evaluation.features.identity import Identity
from evaluation.metrics.backgrounds import composites
from evaluation.metrics.fidelity import Fidelity
from evaluation.metrics.frechet import frechet_of_samples
from evaluation.metrics.kernels import cmmd, paired_kid
from evaluation.metrics.resize import as_batch, letterbox
from tests.evaluation.pairs import composite_pairs


class Means:
    """Mean colours over a grid: few dimensions, no network."""

    identity = Identity("means", "1" * 64, published=True, input="16 px")
    side_px = 16
    pictures = 0

    def __call__(self, pictures_b3hw):
        self.pictures += len(pictures_b3hw)
        return torch.nn.functional.adaptive_avg_pool2d(pictures_b3hw, 2).flatten(1)


def darker(pair, by=30):
    rgba = pair.predicted_hwc.copy()
    rgba[..., :3] = rgba[..., :3].clip(by) - by
    return replace(pair, predicted_hwc=rgba)


@pytest.fixture(scope="module")
def pairs():
    return [darker(pair, 5 + 7 * (k % 5)) for k, pair in enumerate(composite_pairs(10))]


def fidelity(pairs, **arguments):
    metric = Fidelity(Means(), Means(), **arguments)
    metric.update(pairs)
    return metric


def by_hand(pairs, background, square=False):
    sides = []
    for side in (0, 1):
        pictures = [composites(pair, background)[side] for pair in pairs]
        pictures = [letterbox(picture, (128,) * 3) for picture in pictures] if square else pictures
        sides.append(Means()(torch.from_numpy(as_batch(pictures, 16))))
    return sides


@pytest.mark.parametrize(
    ("metric", "background"), [("s_fid", "grey"), ("s_fid_own", "own"), ("s_fid_checker", "checker")]
)
def test_each_background_is_the_distance_of_its_own_composites(pairs, metric, background):
    result = fidelity(pairs).compute()[metric]
    assert result.value == pytest.approx(frechet_of_samples(*by_hand(pairs, background)), rel=1e-6)
    assert (result.n, result.choices["background"]) == (len(pairs), background)


def test_the_other_distances_are_on_the_main_background(pairs):
    results = fidelity(pairs).compute()
    assert results["kid"].value == pytest.approx(paired_kid(*by_hand(pairs, "grey")), rel=1e-6)
    assert results["cmmd"].value == pytest.approx(cmmd(*by_hand(pairs, "grey", square=True)), rel=1e-6)
    assert results["fid_infinity"].value < results["s_fid"].value


def test_equal_layers_are_at_zero():
    results = fidelity(composite_pairs(10), groups=0).compute()
    assert results["s_fid"].value == pytest.approx(0, abs=1e-6)
    assert results["cmmd"].value == pytest.approx(0, abs=1e-9)


def test_pairs_without_background_are_left_out_of_their_own_and_counted():
    pairs = composite_pairs(10)
    lacking = [replace(pairs[0], background_hwc=None), *pairs[1:]]
    results = fidelity(lacking, groups=0).compute()
    assert results["s_fid"].n == len(pairs)
    assert results["s_fid_own"].left_out == {"no_background_in_the_truth": 1}
    assert results["s_fid_own"].n == len(pairs) - 1


def test_a_halo_is_invisible_on_the_own_background_and_seen_on_grey():
    haloed = [replace(pair, predicted_hwc=halo(pair, 4)) for pair in composite_pairs(10)]
    results = fidelity(haloed, groups=0).compute()
    assert results["s_fid_own"].value < 0.01 * results["s_fid"].value


def test_the_interval_holds_the_estimate_and_narrows_with_more_photographs(pairs):
    result = fidelity(pairs).compute()["s_fid"]
    assert result.low < result.value < result.high
    assert fidelity(pairs, groups=0).compute()["s_fid"].low is None


def test_parts_are_computed_from_kept_features(pairs):
    metric = fidelity(pairs, groups=0)
    part = [pair.name for pair in pairs[:20]]
    assert metric.compute(part)["s_fid"].value == pytest.approx(
        fidelity(pairs[:20], groups=0).compute()["s_fid"].value, rel=1e-6
    )
    assert metric.compute_kid(part).n == 20


def test_kept_truths_are_not_encoded_again(pairs):
    metric = fidelity(pairs, groups=0)
    first = metric.compute()["s_fid"].value
    counted = metric._encoder.pictures
    metric.reset(keep_truths=True)
    metric.update(pairs)
    assert metric._encoder.pictures - counted == counted / 2
    assert metric.compute()["s_fid"].value == first


def test_under_two_samples_is_undefined(pairs):
    result = fidelity(pairs[:1]).compute()["s_fid"]
    assert (result.value, result.reason) == (None, "under_two_samples")
    assert fidelity(pairs[:3]).compute()["fid_infinity"].reason == "too_few_samples"


def test_batches_change_nothing(pairs):
    small, large = (fidelity(pairs, batch=batch, groups=0).compute()["s_fid"].value for batch in (1, 16))
    assert small == pytest.approx(large, rel=1e-6)


def test_a_network_that_gives_no_numbers_is_an_error(pairs):
    class Broken(Means):
        def __call__(self, pictures_b3hw):
            return super().__call__(pictures_b3hw) * np.nan

    with pytest.raises(ValueError, match="not finite"):
        Fidelity(Broken()).update(pairs[:2])
