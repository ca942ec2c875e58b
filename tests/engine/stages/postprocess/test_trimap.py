from __future__ import annotations

import numpy as np

from engine.stages.postprocess.trimap import band_half_width, signed_distance, trimap
from tests.engine.stages.drawn import disc, rectangle


def test_the_band_grows_with_the_object_within_bounds() -> None:
    small, middle, large = (disc(400, 400, (200, 200), radius) for radius in (5, 120, 190))
    widths = [band_half_width(mask, 0.03, 3, 8) for mask in (small, middle, large)]
    assert widths[0] == 3
    assert 3 < widths[1] < 8
    assert widths[2] == 8


def test_distance_is_positive_inside_and_negative_outside() -> None:
    distance = signed_distance(rectangle(20, 20, 5, 5, 15, 15))
    assert distance[10, 5] == 0.5
    assert distance[10, 4] == -0.5


def test_the_border_of_the_picture_is_no_edge_of_the_object() -> None:
    assert (trimap(rectangle(30, 30, 0, 0, 15, 30), 4)[:, :10] == 1).all()


def test_a_thin_object_keeps_a_sure_core() -> None:
    mask = rectangle(30, 60, 5, 14, 55, 16)
    values = trimap(mask, 6)
    assert (values[mask] == 1).any()
    assert set(np.unique(values)) == {0.0, 0.5, 1.0}
