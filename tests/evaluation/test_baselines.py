import numpy as np
import pytest

from engine.imaging import iou
from evaluation.baselines import filled_box, grabcut_alone, telea_background


@pytest.fixture
def red_on_green():
    picture = np.random.default_rng(0).integers(0, 30, (60, 80, 3), np.uint8)
    picture[..., 1] += 150
    square = np.zeros((60, 80), bool)
    square[20:40, 30:55] = True
    picture[square] = (200, 20, 20)
    return picture, square


def test_grabcut_finds_an_object_unlike_its_surroundings(red_on_green):
    picture, square = red_on_green
    assert iou(grabcut_alone(picture, (25.0, 15.0, 60.0, 45.0)), square) > 0.95


def test_grabcut_repeats_itself(red_on_green):
    picture, _ = red_on_green
    box = (10.0, 5.0, 70.0, 50.0)
    assert np.array_equal(grabcut_alone(picture, box, 4), grabcut_alone(picture, box, 4))


def test_a_box_over_the_whole_picture_is_taken_whole(red_on_green):
    assert grabcut_alone(red_on_green[0], (0.0, 0.0, 80.0, 60.0)).all()


def test_a_box_outside_the_picture_gives_nothing(red_on_green):
    assert not grabcut_alone(red_on_green[0], (90.0, 0.0, 99.0, 60.0)).any()


def test_the_filled_box_has_the_area_of_the_box(red_on_green):
    assert filled_box(red_on_green[0], (25.0, 15.0, 60.0, 45.0)).sum() == 35 * 30


def test_the_background_has_no_trace_of_the_object(red_on_green):
    picture, square = red_on_green
    background = telea_background(picture, square)
    assert background[square][:, 0].max() < 60
    assert np.array_equal(background[:10], picture[:10])
