from dataclasses import replace

import numpy as np
import pytest

from engine.records import LayerKind
from evaluation.metrics.pairs import BadPair, LayerPair, shrink
from tests.evaluation.pairs import composite_pairs, square_pair


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"predicted_hwc": np.full((96, 96, 4), np.nan, np.float32)}, "not_finite"),
        ({"predicted_hwc": np.full((96, 96, 4), np.inf, np.float32)}, "not_finite"),
        ({"predicted_hwc": np.full((96, 96, 4), 0.5, np.float32)}, "wrong_type"),
        ({"predicted_hwc": np.zeros((96, 96, 3), np.uint8)}, "wrong_shape"),
        ({"predicted_hwc": np.zeros((96, 90, 4), np.uint8)}, "size_mismatch"),
        ({"visible_hw": np.zeros((90, 96), bool)}, "size_mismatch"),
        ({"visible_hw": np.zeros((96, 96), np.uint8)}, "wrong_type"),
        ({"background_hwc": np.zeros((96, 95, 3), np.uint8)}, "size_mismatch"),
        ({"truth_hwc": np.zeros((96, 96, 4), np.uint8)}, "empty_truth"),
    ],
)
def test_what_is_no_pair_is_refused_by_name(change, code):
    with pytest.raises(BadPair, match="square") as refused:
        replace(square_pair(), **change)
    assert refused.value.code == code


def test_the_hidden_share_counts_amodal_pixels():
    assert square_pair(hidden_px=12).hidden_share == pytest.approx(12 / 48)


def test_an_opaque_truth_is_a_background_unless_the_benchmark_says_otherwise():
    foreground, *_, background = composite_pairs(1)
    assert replace(foreground, facts={}).kind is LayerKind.FOREGROUND
    assert replace(background, facts={}).kind is LayerKind.BACKGROUND
    assert replace(background, facts={"kind": "foreground"}).kind is LayerKind.FOREGROUND


def test_shrinking_keeps_the_aspect_and_never_enlarges():
    rgba = np.full((300, 200, 4), 255, np.uint8)
    pair = LayerPair("tall", rgba, rgba, np.ones((300, 200), bool), rgba[..., :3])
    small = shrink(pair, 150)
    assert small.truth_hwc.shape == small.predicted_hwc.shape == (150, 100, 4)
    assert small.visible_hw.shape == (150, 100)
    assert small.visible_hw.dtype == bool
    assert small.background_hwc.shape == (150, 100, 3)
    assert shrink(pair, 300) is pair


def test_shrinking_keeps_the_mean_of_the_alpha():
    pair = square_pair()
    assert shrink(pair, 48).truth_hwc[..., 3].mean() == pytest.approx(pair.truth_hwc[..., 3].mean(), abs=0.5)
