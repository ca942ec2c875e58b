import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.imaging import box_to_mask, iou
from engine.records import GivenPrompt, Stroke
from engine.stages.scene.grabcut import Params, cut_out, inside_likelihood, paint

HEIGHT, WIDTH = 90, 120
BOX = (40.0, 20.0, 90.0, 70.0)


def disc(centre=(65, 45), radius=24):
    return cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), centre, radius, 1, cv2.FILLED).astype(bool)


def picture(mask=None):
    """A red disc on green, both with grain."""
    rng = np.random.default_rng(3)
    colours = np.where((disc() if mask is None else mask)[..., None], (200, 60, 50), (60, 130, 70))
    return np.clip(colours + rng.normal(0, 12, colours.shape), 0, 255).astype(np.uint8)


def stroke(*points, keep, width_px=6.0):
    return Stroke(points, width_px, keep)


def test_a_box_finds_the_object_in_it():
    assert iou(cut_out(picture(), GivenPrompt("disc", BOX), seed=1), disc()) > 0.95


def test_an_object_larger_than_the_working_size_is_still_found():
    assert iou(cut_out(picture(), GivenPrompt("disc", BOX), 1, Params(working_px=40)), disc()) > 0.9


def test_the_same_arguments_give_the_same_mask():
    prompt = GivenPrompt("disc", BOX)
    assert np.array_equal(cut_out(picture(), prompt, seed=5), cut_out(picture(), prompt, seed=5))


def test_a_given_mask_is_trusted():
    mask = disc(radius=10)
    assert np.array_equal(cut_out(picture(), GivenPrompt("disc", mask_hw=mask), seed=1), mask)


def test_keep_strokes_are_inside_even_outside_the_box():
    keep = stroke((10.0, 80.0), (20.0, 80.0), keep=True)
    mask = cut_out(picture(), GivenPrompt("disc", BOX, strokes=(keep,)), seed=1)
    assert mask[80, 10:21].all()


def test_remove_strokes_are_outside_also_of_a_given_mask():
    remove = stroke((50.0, 45.0), (80.0, 45.0), keep=False)
    for prompt in (GivenPrompt("d", BOX, strokes=(remove,)), GivenPrompt("d", mask_hw=disc(), strokes=(remove,))):
        assert not cut_out(picture(), prompt, seed=1)[45, 50:81].any()


def test_a_later_stroke_paints_over_an_earlier_one():
    line = ((30.0, 30.0), (60.0, 30.0))
    keep, remove = paint(GivenPrompt("d", BOX, strokes=(stroke(*line, keep=True), stroke(*line, keep=False))), 90, 120)
    assert (keep.any(), remove[30, 45]) == (False, True)


def test_a_single_point_is_a_dab():
    keep, _ = paint(GivenPrompt("d", BOX, strokes=(stroke((30.0, 40.0), keep=True),)), 90, 120)
    assert keep[40, 30]


def test_a_stroke_without_points_paints_nothing():
    keep, remove = paint(GivenPrompt("d", BOX, strokes=(stroke(keep=True),)), 90, 120)
    assert not (keep | remove).any()


def test_a_flat_picture_falls_back_to_the_box():
    mask = cut_out(np.full((HEIGHT, WIDTH, 3), 127, np.uint8), GivenPrompt("d", BOX), seed=1)
    assert iou(mask, box_to_mask(BOX, HEIGHT, WIDTH)) > 0.6


def test_colours_that_repeat_around_the_box_are_unlikely_inside():
    likelihood = inside_likelihood(picture(), box_to_mask(BOX, HEIGHT, WIDTH))
    assert likelihood[45, 65] > 0.9
    assert likelihood[22, 42] < 0.4


def test_an_object_of_the_same_colour_as_its_surroundings_is_still_answered():
    same = np.tile(picture(), (3, 3, 1))
    assert cut_out(same, GivenPrompt("disc", (40.0, 20.0, 90.0, 70.0)), seed=1).any()


def test_a_flat_picture_inside_one_box_is_answered_at_all():
    assert cut_out(np.full((200, 240, 3), 90, np.uint8), GivenPrompt("d", (0.0, 0.0, 240.0, 200.0)), seed=1).any()


def test_a_box_outside_the_picture_finds_nothing():
    assert not cut_out(picture(), GivenPrompt("d", (200.0, 10.0, 260.0, 40.0)), seed=1).any()


def test_a_box_over_the_whole_picture_still_separates_the_object():
    mask = cut_out(picture(), GivenPrompt("d", (0.0, 0.0, 120.0, 90.0)), seed=1)
    assert iou(mask, disc()) > 0.9


@given(st.tuples(*[st.floats(-30, 150)] * 4), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_any_box_on_any_small_picture_gives_a_mask_of_its_size(box, height, width):
    image = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    mask = cut_out(image, GivenPrompt("d", box), seed=0)
    assert (mask.shape, mask.dtype) == ((height, width), np.bool_)
