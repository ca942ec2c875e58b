import math

import numpy as np
import pytest
import torch

from evaluation.features.identity import Identity
from evaluation.metrics.completion import Completion, direction_cosine
from evaluation.metrics.resize import letterbox
from evaluation.metrics.results import Undefined
from tests.evaluation.pairs import composite_pairs, predicting, square_pair


class Pixels:
    """The picture itself as its features, so that directions can be worked out by hand."""

    side_px = 24
    identity = Identity("pixels", "0" * 64, published=True, input="24 px")

    def __init__(self):
        self.seen = []

    def __call__(self, pictures_b3hw):
        self.seen.append(pictures_b3hw)
        return pictures_b3hw.flatten(1) - 128


def score(pair, **arguments):
    metric = Completion(Pixels(), **arguments)
    metric.update([pair])
    return metric.rows[pair.name]["s_gen"]


@pytest.mark.parametrize("degrees", [0, 45, 90, 180])
def test_the_cosine_of_known_angles(degrees):
    turned = torch.tensor([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    cosine = direction_cosine(torch.tensor([1.0, 0.0]), 3 * turned)
    assert cosine == pytest.approx(math.cos(math.radians(degrees)), abs=1e-6)


def test_the_truth_goes_in_the_true_direction():
    assert score(square_pair()) == pytest.approx(1)


def test_a_prediction_that_adds_nothing_has_no_direction_and_scores_zero():
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[..., 3] *= pair.visible_hw
    assert score(predicting(pair, rgba)) == 0


def test_less_of_the_hidden_part_scores_less():
    pair = square_pair()
    half = pair.predicted_hwc.copy()
    half[:, 64:, 3] = 0
    wrong = pair.predicted_hwc.copy()
    wrong[..., :3][pair.hidden_hw] = 255 - wrong[..., :3][pair.hidden_hw]
    assert 1 > score(predicting(pair, half)) > score(predicting(pair, wrong))


def test_layers_hardly_hidden_are_left_out_and_counted():
    metric = Completion(Pixels())
    metric.update([square_pair(hidden_px=2)])
    result = metric.compute()["s_gen"]
    assert (result.value, result.left_out) == (None, {"hardly_hidden": 1})


def test_a_truth_equal_to_its_visible_part_is_undefined_not_nan():
    rgba = square_pair().truth_hwc.copy()
    rgba[..., :3] = 128
    pair = square_pair(truth_hwc=rgba, predicted_hwc=rgba)
    assert score(pair) == Undefined("truth_looks_like_its_visible_part")


def test_colours_under_alpha_zero_do_not_count():
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[rgba[..., 3] == 0] = (255, 0, 255, 0)
    assert score(predicting(pair, rgba)) == pytest.approx(1)


def test_nothing_at_the_side_is_cut():
    tall = np.zeros((40, 10, 3), np.uint8)
    tall[0, 0] = tall[-1, -1] = 255
    square = letterbox(tall, (7, 7, 7))
    assert square.shape == (40, 40, 3)
    assert np.count_nonzero(square == 255) == 6
    assert (square[:, :15] == 7).all()


def test_all_three_pictures_share_the_crop():
    encoder = Pixels()
    Completion(encoder).update([square_pair()])
    truth, predicted, visible = encoder.seen[0]
    assert torch.equal(truth, predicted)
    kept = (truth - visible).abs().sum(dim=(0, 1)) == 0
    assert kept[:12].all()


def test_features_that_are_not_numbers_are_an_error():
    class Broken(Pixels):
        def __call__(self, pictures_b3hw):
            return torch.full((len(pictures_b3hw), 4), torch.nan)

    with pytest.raises(ValueError, match="not finite"):
        Completion(Broken()).update([square_pair()])


def test_batches_change_nothing():
    pairs = [p for p in composite_pairs(6) if p.hidden_share >= 0.05]
    rows = []
    for batch in (1, 4):
        metric = Completion(Pixels(), batch=batch)
        metric.update(pairs)
        rows.append([metric.rows[pair.name]["s_gen"] for pair in pairs])
    assert rows[0] == pytest.approx(rows[1], abs=1e-6)
    assert len(pairs) > 2
