from __future__ import annotations

import numpy as np
import pytest
import torch

from training.reflayer.canvas_colour import LEAST_ALPHA, lay_on_canvas, to_unit, unmix


@pytest.mark.parametrize("colour", [0.5, 1.0, 0.0])
def test_unmixing_gives_the_colours_back(colour: float) -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (16, 20, 3)).astype(np.float32) / 255
    alpha = rng.uniform(LEAST_ALPHA, 1, (16, 20)).astype(np.float32)
    laid = lay_on_canvas(
        torch.from_numpy(rgb).permute(2, 0, 1)[None] * 2 - 1, torch.from_numpy(alpha)[None, None], colour
    )
    picture = to_unit(laid)[0].permute(1, 2, 0).numpy()
    assert np.abs(unmix(picture, alpha, colour).astype(int) - np.rint(rgb * 255).astype(int)).max() <= 1


def test_nothing_drawn_is_the_plain_canvas() -> None:
    laid = lay_on_canvas(torch.rand(1, 3, 4, 4), torch.zeros(1, 1, 4, 4), 0.5)
    assert torch.equal(laid, torch.zeros(1, 3, 4, 4))


def test_where_alpha_says_nothing_the_colour_is_carried_on() -> None:
    picture = np.full((16, 16, 3), 0.5, np.float32)
    alpha = np.zeros((16, 16), np.float32)
    picture[:, :8], alpha[:, :8] = (1.0, 0.0, 0.0), 1.0
    assert (unmix(picture, alpha)[:, :8] == (255, 0, 0)).all()
    assert np.abs(unmix(picture, alpha)[:, 12].astype(int) - (255, 0, 0)).max() <= 8


def test_a_layer_of_nothing_has_a_colour_too() -> None:
    assert unmix(np.full((8, 8, 3), 0.5, np.float32), np.zeros((8, 8), np.float32)).shape == (8, 8, 3)
