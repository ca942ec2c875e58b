"""Pictures of what each stage made, for the run page."""

import numpy as np
import pytest

from engine.previews import render
from engine.records import STAGES
from tests.engine.scenes import finished_scene


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("longest_px", [64, 256])
def test_a_preview_is_no_larger_than_asked_for(stage, longest_px):
    picture = render(finished_scene(), stage, longest_px)
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert longest_px - 4 <= max(picture.shape[:2]) <= longest_px


def test_what_was_dropped_is_shown_grey():
    scene = finished_scene()
    before = render(scene, "postfilter", 256)
    scene.instances[0].drop_reason = "by_a_test"
    after = render(scene, "postfilter", 256)
    columns = int(np.ceil(np.sqrt(len(scene.instances))))
    tile = np.s_[: 256 // columns, : 256 // columns]
    assert after[tile].max() < before[tile].max()
    assert np.array_equal(after[:, 256 // columns + 2 :], before[:, 256 // columns + 2 :])


def test_a_picture_without_objects_is_shown_itself():
    scene = finished_scene()
    picture = scene.image_hwc
    scene.instances = []
    assert np.array_equal(render(scene, "postfilter", max(picture.shape)), picture)
