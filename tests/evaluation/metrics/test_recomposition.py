import numpy as np
import pytest

from evaluation.metrics.recomposition import Recomposition
from evaluation.metrics.results import Undefined
from tests.evaluation.pairs import predicting, square_pair


def measured(pair):
    metric = Recomposition()
    metric.update([pair])
    return metric.rows[pair.name]


def test_the_truth_recomposes_exactly():
    assert measured(square_pair()) == {"recomposition": 0, "edge_colour": 0}


def test_a_constant_error_is_its_own_mean():
    pair = square_pair(background_hwc=np.zeros((96, 96, 3), np.uint8))
    rgba = pair.predicted_hwc.copy()
    rgba[..., :3] += 30
    shown = (~pair.hidden_hw).sum()
    opaque = (pair.truth_hwc[..., 3] == 255) & ~pair.hidden_hw
    soft = pair.truth_hwc[..., 3] == 128
    expected = (30 * opaque.sum() + 15 * soft.sum()) / shown / 255
    assert measured(predicting(pair, rgba))["recomposition"] == pytest.approx(expected, rel=0.01)


def test_what_is_hidden_does_not_count():
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[pair.hidden_hw] = 0
    assert measured(predicting(pair, rgba))["recomposition"] == 0


def test_edge_colour_sees_the_soft_pixels_alone():
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[30:40, 30:40, :3] = 0
    assert measured(predicting(pair, rgba))["edge_colour"] == 0
    fringe = pair.predicted_hwc.copy()
    fringe[24:72, 24, :3] += 51
    assert measured(predicting(pair, fringe))["edge_colour"] == pytest.approx(0.2 * 128 / 255, rel=1e-6)


def test_without_background_or_soft_pixels_there_is_no_value():
    hard = square_pair().truth_hwc.copy()
    hard[..., 3] = np.where(hard[..., 3] > 127, 255, 0)
    row = measured(square_pair(truth_hwc=hard, predicted_hwc=hard, background_hwc=None))
    assert row["recomposition"] == Undefined("no_background_in_the_truth")
    assert row["edge_colour"] == Undefined("no_soft_pixel")
