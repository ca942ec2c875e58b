from pathlib import Path

import lpips
import numpy as np
import pytest
import torch
from torchmetrics.functional.image.lpips import _LPIPS

from evaluation.features.alexnet import fixed_seed_trunk, lpips_network
from evaluation.features.perceptual import Perceptual
from evaluation.metrics.preservation import Preservation
from evaluation.metrics.results import Undefined
from tests.evaluation.pairs import composite_pairs, predicting, square_pair


@pytest.fixture(scope="module")
def network():
    return Perceptual(lpips_network(fixed_seed_trunk()), "test", published=False)


@pytest.fixture(scope="module")
def package():
    return lpips_network(fixed_seed_trunk())


def noisy(pair, seed=0):
    rng = np.random.default_rng(seed)
    rgba = pair.predicted_hwc.copy()
    rgba[..., :3] = (rgba[..., :3].astype(int) + rng.integers(-40, 40, rgba[..., :3].shape)).clip(0, 255)
    return predicting(pair, rgba)


def in_one(rgba_hwc):
    return torch.from_numpy(rgba_hwc).permute(2, 0, 1)[None].float() / 255


def scores_of(network, pairs, **arguments):
    metric = Preservation(network, **arguments)
    metric.update(pairs)
    return metric


def test_s_vis_is_the_packages_lpips_of_colours_times_the_mask(network, package):
    pair = noisy(square_pair())
    mask = torch.from_numpy(pair.visible_hw).float()
    truth, predicted = (in_one(side)[:, :3] * mask for side in (pair.truth_hwc, pair.predicted_hwc))
    expected = float(package(truth, predicted, normalize=True))
    assert scores_of(network, [pair]).rows["square"]["s_vis"] == pytest.approx(expected, abs=1e-6)


def test_torchmetrics_with_the_same_trunk_agrees(network, package):
    theirs = _LPIPS(pretrained=True, net="alex", pnet_rand=True)
    # Their normalisation is no buffer; all else must find its place, or two random networks would be compared.
    state = {name: values for name, values in package.state_dict().items() if not name.startswith("scaling_layer")}
    theirs.load_state_dict(state, strict=True)
    pair = noisy(square_pair())
    mask = torch.from_numpy(pair.visible_hw).float()
    truth, predicted = (in_one(side)[:, :3] * mask for side in (pair.truth_hwc, pair.predicted_hwc))
    with torch.inference_mode():
        expected = float(theirs(truth, predicted, normalize=True))
    assert expected > 0.001
    assert scores_of(network, [pair]).rows["square"]["s_vis"] == pytest.approx(expected, abs=1e-6)


def test_the_area_variant_is_the_packages_spatial_map_over_the_eroded_mask(network):
    spatial = lpips_network(fixed_seed_trunk())
    spatial.spatial = True
    pair = noisy(square_pair())
    mask = torch.from_numpy(pair.visible_hw).float()
    with torch.inference_mode():
        by_pixel = spatial(
            in_one(pair.truth_hwc)[:, :3] * mask, in_one(pair.predicted_hwc)[:, :3] * mask, normalize=True
        )[0, 0].numpy()
    inside = np.zeros((96, 96), bool)
    rows, columns = np.nonzero(pair.visible_hw)
    for y, x in zip(rows, columns, strict=True):
        inside[y, x] = pair.visible_hw[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].all()
    assert scores_of(network, [pair]).rows["square"]["s_vis_area"] == pytest.approx(by_pixel[inside].mean(), abs=1e-6)


def test_the_truth_scores_zero_and_the_distance_is_symmetric(network):
    pair = noisy(square_pair())
    assert scores_of(network, [square_pair()]).rows["square"]["s_vis"] == 0
    turned = predicting(pair, pair.truth_hwc)
    turned = type(turned)("square", pair.predicted_hwc, pair.truth_hwc, pair.visible_hw)
    forth, back = (scores_of(network, [p]).rows["square"]["s_vis"] for p in (pair, turned))
    assert forth == pytest.approx(back, rel=1e-6)


def test_what_is_not_visible_never_counts(network):
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[~pair.visible_hw] = (9, 200, 30, 255)
    assert scores_of(network, [predicting(pair, rgba)]).rows["square"]["s_vis"] == 0


def test_a_hole_in_the_visible_part_costs_only_the_alpha_aware_variant(network):
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[30:50, 30:50, 3] = 0
    row = scores_of(network, [predicting(pair, rgba)]).rows["square"]
    assert row["s_vis"] == 0
    assert row["s_vis_alpha"] > 0.001


def test_a_small_object_looks_better_in_the_mean_over_the_picture_than_over_its_area(network):
    row = scores_of(network, [noisy(square_pair())]).rows["square"]
    assert row["s_vis_area"] > 2 * row["s_vis"]


def test_batches_and_mixed_sizes_change_nothing(network):
    pairs = [noisy(p, k) for k, p in enumerate((*composite_pairs(2), *composite_pairs(1, 128, 700)))]
    together = scores_of(network, pairs, batch=3).rows
    for pair in pairs:
        alone = scores_of(network, [pair], batch=1).rows[pair.name]
        assert together[pair.name]["s_vis"] == pytest.approx(alone["s_vis"], rel=1e-4, abs=1e-7)


def test_a_layer_of_which_nothing_is_seen_has_no_value(network):
    pair = square_pair(visible_hw=np.zeros((96, 96), bool))
    result = scores_of(network, [pair]).compute()["s_vis"]
    assert (result.value, result.n, result.left_out) == (None, 0, {"nothing_visible": 1})
    assert result.reason == "every_sample_left_out"


def test_pictures_too_small_for_the_network_have_no_value(network):
    pair = composite_pairs(1, 48)[0]
    assert scores_of(network, [pair]).rows[pair.name]["s_vis"] == Undefined("under_64_px")


def test_a_name_scored_twice_is_refused_until_reset(network):
    metric = scores_of(network, [square_pair()])
    with pytest.raises(ValueError, match="square"):
        metric.update([square_pair()])
    metric.reset()
    metric.update([square_pair()])


def test_the_result_names_every_choice(network):
    result = scores_of(network, [square_pair()]).compute()["s_vis"]
    assert result.choices["variant"] == "offline"
    assert len(result.choices["weights_sha256"]) == 64
    assert result.variant == "offline"


def test_a_trunk_that_lacks_a_convolution_is_refused():
    trunk = fixed_seed_trunk()
    del trunk["features.8.bias"]
    with pytest.raises(ValueError, match=r"features\.8\.bias"):
        lpips_network(trunk)


def test_the_heads_are_the_ones_the_package_ships(package):
    path = Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth"
    shipped = torch.load(path, map_location="cpu", weights_only=True)
    assert len(shipped) == len(package.lins) == 5
    for at, head in enumerate(package.lins):
        assert torch.equal(head.model[-1].weight, shipped[f"lin{at}.model.1.weight"])
