from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.records import Scene
from engine.stages.completion.classical import Classical
from engine.stages.postprocess.closed_form import ClosedForm
from tests.engine.stages.drawn import disc, scene_of, smoothed, two_discs


def _finished(scene: Scene) -> Scene:
    Classical()([scene])
    return ClosedForm()([scene])[0]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return _finished(smoothed(two_discs(), 1.5))


def test_soft_edges_are_nearer_to_the_truth_than_the_mask() -> None:
    mask = disc(120, 120, (60, 60), 30)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2.0)
    done = _finished(smoothed(scene_of([mask]), 2.0))
    layer = done.instances[0].layer
    assert layer is not None
    assert np.abs(layer.alpha_hw - soft).mean() < 0.5 * np.abs(mask - soft).mean()


def test_alpha_goes_on_at_one_under_the_object_in_front(scene: Scene) -> None:
    behind = scene.instances[1]
    assert behind.layer is not None
    assert behind.amodal_hw is not None
    contact = behind.amodal_hw & ~behind.visible_hw & disc(120, 160, (95, 60), 22)
    assert contact.any()
    assert (behind.layer.alpha_hw[contact] == 1).all()


def test_the_colour_of_a_soft_edge_is_the_objects_own(scene: Scene) -> None:
    front = scene.instances[0].layer
    assert front is not None
    rim = (front.alpha_hw > 0.3) & (front.alpha_hw < 0.7) & disc(120, 160, (50, 60), 35)
    red, _, blue = front.rgba_hwc[rim][:, :3].astype(float).mean(axis=0)
    source_red = float(scene.image_hwc[rim][:, 0].mean())
    assert abs(red - 220) < 0.5 * abs(source_red - 220)
    assert blue < 70


def test_colour_is_extended_under_alpha_zero(scene: Scene) -> None:
    front = scene.instances[0].layer
    assert front is not None
    outside = front.rgba_hwc[front.rgba_hwc[..., 3] == 0][:, :3].astype(int)
    assert np.median(outside[:, 0]) > 150


def test_visible_masks_of_the_layers_are_disjoint_and_inside_alpha(scene: Scene) -> None:
    layers = [instance.layer for instance in scene.foregrounds if instance.layer is not None]
    assert not (layers[0].visible_hw & layers[1].visible_hw).any()
    assert not any((layer.visible_hw & ~layer.amodal_hw).any() for layer in layers)
