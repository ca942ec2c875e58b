from __future__ import annotations

import numpy as np

from engine.stages.postprocess.colour import extend
from tests.engine.stages.drawn import disc, slope


def test_known_pixels_stay_exactly() -> None:
    picture, known = slope(50, 70), disc(50, 70, (30, 20), 10)
    assert np.array_equal(extend(picture, known)[known], picture[known])


def test_unknown_pixels_take_the_colour_of_the_known_and_nothing_else() -> None:
    picture, known = np.zeros((50, 70, 3), np.uint8), disc(50, 70, (30, 20), 10)
    picture[known] = (200, 100, 50)
    assert np.abs(extend(picture, known).astype(int) - (200, 100, 50)).max() <= 1


def test_nothing_known_gives_grey() -> None:
    assert (extend(slope(8, 8), np.zeros((8, 8), bool)) == 128).all()
