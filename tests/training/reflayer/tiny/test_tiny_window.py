import numpy as np
import pytest

from engine.records import Prompt, PromptKind
from training.reflayer.tiny.window import (
    CORE_PX,
    Window,
    around,
    core_picture,
    core_prompt,
    from_core,
    whole,
    window_for,
)


def test_a_box_is_seen_from_near_and_a_point_in_the_whole_picture():
    near = window_for(Prompt(PromptKind.BOX, box=(400, 300, 500, 380)), 1024, 768)
    assert near.side == round(100 / 0.45)
    assert near.x <= 400 < 500 <= near.x + near.side
    assert window_for(Prompt(PromptKind.POINT, points=((5, 5),)), 1024, 768) == Window(0, -128, 1024)


def test_a_window_stays_inside_the_picture_and_never_enlarges_it():
    assert around((0, 0, 30, 30), 1000, 900) == Window(0, 0, CORE_PX)
    assert around((960, 860, 1000, 900), 1000, 900) == Window(872, 772, CORE_PX)
    assert around((10, 10, 50, 50), 128, 128) == whole(128, 128)


@pytest.mark.parametrize(("width", "height"), [(128, 128), (300, 200), (16, 4000), (40, 30)])
def test_what_the_core_sees_has_its_size_and_the_pictures_colours(width, height):
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    for window in (whole(width, height), around((2, 2, 14, 14), width, height)):
        seen = core_picture(picture, window)
        assert seen.shape == (CORE_PX, CORE_PX, 3)
        assert picture.min() <= seen.min() <= seen.max() <= picture.max()


def test_at_the_core_size_nothing_is_resampled():
    picture = np.random.default_rng(1).integers(0, 256, (128, 128, 3), np.uint8)
    assert np.array_equal(core_picture(picture, whole(128, 128)), picture)


def test_a_prompt_lands_where_its_pixels_do():
    mask = np.zeros((256, 256), bool)
    mask[100:140, 60:120] = True
    prompt = Prompt(PromptKind.HYBRID, points=((90.0, 120.0),), box=(60.0, 100.0, 120.0, 140.0), mask_hw=mask)
    moved = core_prompt(prompt, whole(256, 256))
    assert moved.points == ((45.0, 60.0),)
    assert moved.box == (30.0, 50.0, 60.0, 70.0)
    assert np.array_equal(moved.mask_hw, mask[::2, ::2])


def test_a_mask_thinner_than_a_core_pixel_is_still_there():
    mask = np.zeros((2000, 2000), bool)
    mask[1000, 300:1500] = True
    assert core_prompt(Prompt(PromptKind.MASK, mask_hw=mask), whole(2000, 2000)).mask_hw.any()


def test_a_map_comes_back_to_the_part_it_was_made_from():
    window = whole(300, 200)
    ramp = np.broadcast_to(np.linspace(0, 1, CORE_PX, dtype=np.float32), (CORE_PX, CORE_PX))
    back = from_core(ramp, window, 300, 200)
    assert back.shape == (200, 300)
    assert np.all(np.diff(back[100]) >= 0)
