from __future__ import annotations

import numpy as np

from engine.stages.completion.classical import Classical
from tests.engine.stages.drawn import COLOURS, disc, scene_of, two_discs


def test_the_hidden_part_has_the_objects_own_colours() -> None:
    scene = two_discs()
    Classical()([scene])
    behind = scene.instances[1]
    assert behind.amodal_hw is not None
    assert behind.completed_hwc is not None
    hidden = behind.amodal_hw & ~behind.visible_hw
    assert hidden.any()
    red, _, blue = COLOURS[1]
    assert np.abs(behind.completed_hwc[hidden][:, 0].astype(int) - red).max() <= 2
    assert np.abs(behind.completed_hwc[hidden][:, 2].astype(int) - blue).max() <= 2


def test_no_colour_of_an_object_is_left_in_the_background() -> None:
    scene = two_discs()
    Classical()([scene])
    background = scene.background
    assert background is not None
    assert background.completed_hwc is not None
    saturation = np.ptp(background.completed_hwc.astype(int), axis=2)
    assert saturation.max() <= 2


def test_the_background_hole_reaches_over_the_edges_of_the_objects() -> None:
    scene = scene_of([disc(120, 160, (60, 60), 28)])
    Classical()([scene])
    background = scene.background
    assert background is not None
    assert not background.visible_hw[60, 60 + 28 + 3]
    assert background.visible_hw[60, 60 + 28 + 8]


def test_an_absurd_completion_is_not_believed_and_counted() -> None:
    scene = two_discs()
    Classical(max_growth=1.01)([scene])
    behind = scene.instances[1]
    assert np.array_equal(behind.amodal_hw, behind.visible_hw)
    assert scene.numbers["completion"]["unbelieved_growth"] == 1
