import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.stages.completion.crop import Crop
from tests.engine.stages.drawn import rectangle


@given(st.integers(-40, 60), st.integers(-40, 60), st.integers(1, 120))
def test_what_was_cut_and_put_back_is_the_picture(x0, y0, side):
    picture = np.arange(50 * 70, dtype=np.int32).reshape(50, 70)
    crop = Crop(x0, y0, side)
    assert np.array_equal(crop.put(crop.cut(picture, 0), np.zeros_like(picture) + picture), picture)
    assert np.array_equal(crop.put(crop.cut(picture), picture), picture)


def test_past_the_picture_it_is_neutral_or_reflected():
    row = np.array([[1, 2, 3]])
    assert Crop(-2, 0, 3).cut(row, 9)[0].tolist() == [9, 9, 1]
    assert Crop(-2, 0, 3).cut(row)[0].tolist() == [2, 1, 1]
    assert Crop(2, 0, 3).cut(row)[0].tolist() == [3, 3, 2]


def test_a_crop_holds_its_object_in_the_middle_with_room_around():
    crop = Crop.around(rectangle(100, 100, 20, 30, 60, 50), margin=0.25, least_px=1)
    assert (crop.x0, crop.y0, crop.side) == (10, 10, 60)


def test_a_small_object_still_gets_the_least_crop():
    assert Crop.around(rectangle(100, 100, 50, 50, 51, 51), 0.25, 32).side == 32


def test_nothing_cannot_be_cropped_around():
    with pytest.raises(ValueError, match="nothing"):
        Crop.around(np.zeros((5, 5), bool), 0.1, 4)
