import cv2
import numpy as np
import pytest

from engine.imaging import box_of, iou
from engine.stages.scene.joint_cut import Params, cut_out_all


def scene():
    """A red disc over a blue square on green grain: picture, visible masks and boxes of the whole objects."""
    rng = np.random.default_rng(2)
    disc = cv2.circle(np.zeros((120, 160), np.uint8), (60, 60), 28, 1, cv2.FILLED).astype(bool)
    square = np.zeros((120, 160), bool)
    square[45:95, 70:120] = True
    picture = np.full((120, 160, 3), (60, 130, 70), np.float64)
    picture[square], picture[disc] = (40, 60, 200), (200, 60, 50)
    picture = np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
    return picture, [disc, square & ~disc], [box_of(disc), box_of(square)]


NOTHING = np.zeros((120, 160), bool)


@pytest.mark.parametrize("working_px", [96, 256])
def test_objects_in_overlapping_boxes_are_told_apart(working_px):
    picture, masks, boxes = scene()
    found = cut_out_all(picture, boxes, NOTHING, Params(working_px=working_px))
    assert [iou(a, b) > 0.9 for a, b in zip(found, masks, strict=True)] == [True, True]
    assert not (found[0] & found[1]).any()


def test_the_order_of_the_boxes_does_not_matter():
    picture, _, boxes = scene()
    there, back = cut_out_all(picture, boxes, NOTHING), cut_out_all(picture, boxes[::-1], NOTHING)
    assert iou(there[0], back[1]) > 0.99


def test_taken_pixels_are_nobodys():
    picture, masks, boxes = scene()
    found = cut_out_all(picture, [boxes[1]], masks[0])
    assert not (found[0] & masks[0]).any()
    assert iou(found[0], masks[1]) > 0.9


def test_a_box_beside_the_picture_gets_an_empty_mask():
    picture, _, boxes = scene()
    found = cut_out_all(picture, [boxes[0], (200.0, 10.0, 230.0, 40.0)], NOTHING)
    assert [mask.any() for mask in found] == [True, False]


def test_a_plain_picture_gives_something_to_look_at():
    found = cut_out_all(np.full((120, 160, 3), 90, np.uint8), [(20.0, 20.0, 90.0, 80.0)], NOTHING)
    assert found[0].any()
