import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from engine import imaging

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))
pictures = hnp.arrays(np.uint8, st.tuples(st.integers(1, 16), st.integers(1, 16), st.just(3)))


def layers_like(picture: np.ndarray) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.uint8, (*picture.shape[:2], 4))


@given(masks)
def test_run_lengths_give_the_mask_back(mask):
    np.testing.assert_array_equal(imaging.rle_to_mask(imaging.mask_to_rle(mask)), mask)


def test_run_lengths_are_column_major_and_start_with_zeros():
    mask = np.array([[1, 0], [1, 1]], bool)
    assert imaging.mask_to_rle(mask) == {"size": [2, 2], "counts": [0, 2, 1, 1]}


@pytest.mark.parametrize("counts", [[3], [5], [-1, 5], [2, 1]])
def test_run_lengths_that_do_not_fill_the_size_are_refused(counts):
    with pytest.raises(ValueError, match="do not add up"):
        imaging.rle_to_mask({"size": [2, 2], "counts": counts})


@given(pictures, st.data())
def test_an_opaque_layer_hides_everything_below(picture, data):
    rgba = data.draw(layers_like(picture))
    rgba[..., 3] = 255
    np.testing.assert_array_equal(imaging.composite(rgba, picture), rgba[..., :3])


@given(pictures, st.data())
def test_an_empty_layer_changes_nothing(picture, data):
    rgba = data.draw(layers_like(picture))
    rgba[..., 3] = 0
    np.testing.assert_array_equal(imaging.composite(rgba, picture), picture)


@given(pictures, st.data())
def test_a_composite_lies_between_layer_and_picture(picture, data):
    rgba = data.draw(layers_like(picture))
    out = imaging.composite(rgba, picture)
    assert (out >= np.minimum(rgba[..., :3], picture)).all()
    assert (out <= np.maximum(rgba[..., :3], picture)).all()


@given(pictures, st.data())
def test_compositing_agrees_with_pillow_within_one_level(picture, data):
    rgba = data.draw(layers_like(picture))
    below = Image.fromarray(picture).convert("RGBA")
    expected = np.asarray(Image.alpha_composite(below, Image.fromarray(rgba)).convert("RGB")).astype(int)
    assert np.abs(imaging.composite(rgba, picture).astype(int) - expected).max() <= 1


@given(pictures, st.data())
def test_flattening_one_layer_over_a_picture_is_compositing_it(picture, data):
    rgba = data.draw(layers_like(picture))
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    np.testing.assert_array_equal(imaging.flatten([rgba, opaque]), imaging.composite(rgba, picture))


def test_flattening_takes_layers_front_to_back():
    red = np.zeros((1, 1, 4), np.uint8) + np.array([255, 0, 0, 255], np.uint8)
    blue = np.zeros((1, 1, 4), np.uint8) + np.array([0, 0, 255, 255], np.uint8)
    assert imaging.flatten([red, blue])[0, 0].tolist() == [255, 0, 0]


@given(masks)
def test_the_box_of_a_mask_is_tight(mask):
    box = imaging.box_of(mask)
    if box is None:
        assert not mask.any()
        return
    inside = imaging.box_to_mask(box, *mask.shape)
    assert not (mask & ~inside).any()
    x0, y0, x1, y1 = (int(v) for v in box)
    assert mask[y0].any()
    assert mask[y1 - 1].any()
    assert mask[:, x0].any()
    assert mask[:, x1 - 1].any()


@given(masks, st.data())
def test_iou_is_symmetric_and_one_only_for_equal_masks(mask, data):
    other = data.draw(hnp.arrays(bool, mask.shape))
    assert imaging.iou(mask, other) == imaging.iou(other, mask)
    assert (imaging.iou(mask, other) == 1.0) == bool((mask == other).all())


@pytest.mark.parametrize("box", [(-5, -5, 0, 0), (10, 0, 20, 5), (3, 3, 3.5, 8)])
def test_a_box_outside_or_thinner_than_a_pixel_clips_to_nothing(box):
    assert imaging.clip_box(box, 10, 10) is None


def test_a_box_with_swapped_corners_is_put_right():
    assert imaging.clip_box((8, 9, 2, -3), 10, 10) == (2, 0, 8, 9)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([3, 4]))))
def test_png_gives_the_pixels_back(picture):
    np.testing.assert_array_equal(imaging.decode_png(imaging.encode_png(picture)), picture)
