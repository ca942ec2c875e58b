import numpy as np
import pytest

from evaluation.metrics.alpha import Alpha
from evaluation.metrics.results import Undefined
from tests.evaluation.pairs import composite_pairs, predicting, square_pair


def measured(pair):
    metric = Alpha()
    metric.update([pair])
    return metric.rows[pair.name]


def test_the_truth_has_no_error_anywhere():
    row = measured(square_pair())
    assert {row[name] for name in ("sad", "mse", "gradient", "connectivity", "sad_band", "mse_band")} == {0}
    assert row["soft_iou"] == row["amodal_iou"] == row["hidden_iou"] == row["found"] == 1


def test_the_visible_part_alone_finds_nothing_hidden():
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[..., 3] *= pair.visible_hw
    row = measured(predicting(pair, rgba))
    assert row["hidden_iou"] == 0
    assert row["amodal_iou"] == pytest.approx(1 - pair.hidden_share)
    assert row["sad"] == pytest.approx(pair.hidden_hw.sum() / 1000)


def test_an_error_in_the_middle_is_outside_the_band():
    pair = square_pair()
    rgba = pair.predicted_hwc.copy()
    rgba[46:50, 46:50, 3] = 0
    row = measured(predicting(pair, rgba))
    assert row["sad"] == pytest.approx(0.016)
    assert row["sad_band"] == 0


def test_an_empty_layer_was_not_found():
    pair = square_pair()
    assert measured(predicting(pair, np.zeros_like(pair.truth_hwc)))["found"] == 0


def test_an_opaque_background_has_no_band():
    background = composite_pairs(1)[-1]
    row = measured(background)
    assert row["mse"] == 0
    assert row["mse_band"] == Undefined("no_edge")


def test_a_layer_of_which_nothing_is_hidden_has_no_hidden_iou():
    metric = Alpha()
    metric.update([square_pair(hidden_px=0)])
    result = metric.compute()["hidden_iou"]
    assert (result.value, result.left_out) == (None, {"nothing_hidden": 1})
