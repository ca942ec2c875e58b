from __future__ import annotations

import cv2
import numpy as np

from engine.stages.completion.patch_fill import fill
from tests.engine.stages.drawn import disc, slope


def _stripes(height: int, width: int) -> np.ndarray:
    rows = np.where(np.arange(height) // 4 % 2, 200, 40).astype(np.uint8)
    return np.repeat(np.repeat(rows[:, None, None], width, 1), 3, 2)


def test_changes_nothing_outside_the_hole() -> None:
    picture, hole = slope(80, 100), disc(80, 100, (50, 40), 15)
    filled = fill(picture, hole, ~hole, seed=1)
    assert np.array_equal(filled[~hole], picture[~hole])


def test_never_looks_at_the_colours_in_the_hole() -> None:
    picture, hole = slope(80, 100), disc(80, 100, (50, 40), 15)
    spoiled = picture.copy()
    spoiled[hole] = (255, 0, 255)
    assert np.array_equal(fill(picture, hole, ~hole, seed=1), fill(spoiled, hole, ~hole, seed=1))


def test_never_takes_a_colour_from_what_is_not_known() -> None:
    picture, hole = slope(80, 100), disc(80, 100, (50, 40), 15)
    barred = np.zeros_like(hole)
    barred[:, 70:] = True
    spoiled = picture.copy()
    spoiled[barred] = (255, 0, 255)
    known = ~hole & ~barred
    assert np.array_equal(fill(picture, hole, known, seed=1)[hole], fill(spoiled, hole, known, seed=1)[hole])


def test_goes_on_with_stripes_where_smoothing_would_blur_them() -> None:
    picture, hole = _stripes(96, 96), disc(96, 96, (48, 48), 18)
    filled = fill(picture, hole, ~hole, seed=1)
    smooth = cv2.inpaint(picture, hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)

    def error(result: np.ndarray) -> float:
        return float(np.abs(result[hole].astype(int) - picture[hole]).mean())

    assert error(filled) < 0.25 * error(smooth)


def test_the_same_seed_gives_the_same_bytes() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
    hole = disc(64, 64, (30, 30), 10)
    assert np.array_equal(fill(picture, hole, ~hole, seed=5), fill(picture, hole, ~hole, seed=5))
    assert not np.array_equal(fill(picture, hole, ~hole, seed=5), fill(picture, hole, ~hole, seed=6))


def test_a_picture_above_the_working_size_is_filled_at_full_resolution() -> None:
    picture, hole = _stripes(192, 192), disc(192, 192, (96, 96), 30)
    filled = fill(picture, hole, ~hole, seed=1, working_px=96)
    values = filled[hole][:, 0]
    assert np.mean((values < 60) | (values > 180)) > 0.8


def test_smooth_colour_stands_in_where_no_whole_patch_is_known() -> None:
    picture = np.full((10, 10, 3), 90, np.uint8)
    known = np.zeros((10, 10), bool)
    known[0, 0] = True
    assert (fill(picture, ~known, known, seed=0) == 90).all()
