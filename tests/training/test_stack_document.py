"""Layers merged into one picture."""

from __future__ import annotations

import numpy as np
import pytest

from engine.imaging import decode_png, encode_png, flatten
from training.stack_document import Placed, document, merged


def drawn(seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """One to four layers of noise, with whole and empty alphas among them, and a ground."""
    rng = np.random.default_rng(seed)
    layers = [rng.integers(0, 256, (3, 4, 4)).astype(np.uint8) for _ in range(rng.integers(1, 5))]
    for rgba in layers:
        rgba[..., 3] = rng.choice([0, 255, 1, 254, 128, 90], (3, 4))
    return layers, rng.integers(0, 256, (3, 4, 3)).astype(np.uint8)


@pytest.mark.parametrize("seed", range(20))
def test_over_an_opaque_layer_the_merged_picture_is_what_is_seen(seed: int) -> None:
    layers, _ = drawn(seed)
    layers[-1][..., 3] = 255
    out = merged(layers)
    assert (out[..., 3] == 255).all()
    assert np.abs(out[..., :3].astype(int) - flatten(layers)).max() <= 1


@pytest.mark.parametrize("seed", range(20))
def test_merged_layers_look_the_same_on_any_ground(seed: int) -> None:
    layers, ground = drawn(seed)
    opaque = np.dstack([ground, np.full((3, 4), 255, np.uint8)])
    difference = flatten([merged(layers), opaque]).astype(int) - flatten([*layers, opaque])
    assert np.abs(difference).max() <= 1


def test_a_png_of_one_layer_is_that_layer_where_it_was_dragged() -> None:
    rgba = np.zeros((6, 8, 4), np.uint8)
    rgba[1:3, 2:5] = (10, 200, 90, 130)
    png = encode_png(rgba)
    out = decode_png(document("png", png, [Placed("kite", png, encode_png(rgba[..., 3] > 0), dx=2, dy=1)]))
    assert np.array_equal(out[2:4, 4:7], rgba[1:3, 2:5])
    assert out[..., 3].sum() == rgba[..., 3].sum()
