from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.records import Instance, RGBALayer, Scene
from engine.stages.completion.classical import Classical
from engine.stages.postfilter.rules import Rules
from engine.stages.postprocess.closed_form import ClosedForm
from tests.engine.stages.drawn import two_discs


@pytest.fixture
def scene() -> Scene:
    scene = two_discs()
    Classical()([scene])
    return ClosedForm()([scene])[0]


def _layer(instance: Instance) -> RGBALayer:
    assert instance.layer is not None
    return instance.layer


def test_good_layers_are_kept_with_their_scores(scene: Scene) -> None:
    Rules()([scene])
    assert [instance.drop_reason for instance in scene.instances] == ["", "", ""]
    front, behind, background = (instance.scores for instance in scene.instances)
    assert front["recomposition_error"] < 0.01
    assert front["components"] == 1
    assert front["hidden_share"] < 0.01 < behind["hidden_share"]
    assert behind["amodal_ratio"] == pytest.approx(1 / (1 - behind["hidden_share"]))
    assert background["border_share"] == 1


def _emptied(layer: RGBALayer) -> None:
    layer.rgba_hwc[..., 3] = 0
    layer.visible_hw[:] = False


def _shrunk(layer: RGBALayer) -> None:
    layer.rgba_hwc[..., 3] = 0
    layer.rgba_hwc[58:62, 58:62, 3] = 255


def _recoloured(layer: RGBALayer) -> None:
    layer.rgba_hwc[..., :3] = 255 - layer.rgba_hwc[..., :3]


def _broken_up(layer: RGBALayer) -> None:
    layer.rgba_hwc[::4, :, 3] = 0
    layer.rgba_hwc[1::4, :, 3] = 0
    layer.visible_hw &= layer.amodal_hw


def _faded(layer: RGBALayer) -> None:
    layer.rgba_hwc[..., 3] = np.where(layer.rgba_hwc[..., 3] > 0, 160, 0)


def _mostly_hidden(layer: RGBALayer) -> None:
    layer.visible_hw[:, :80] = False


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_emptied, "empty"),
        (_shrunk, "too_small"),
        (_recoloured, "recomposition"),
        (_broken_up, "fragmented"),
        (_faded, "all_soft"),
        (_mostly_hidden, "oversized_completion"),
    ],
)
def test_a_spoiled_layer_is_dropped_with_its_reason(
    scene: Scene, spoil: Callable[[RGBALayer], None], reason: str
) -> None:
    spoil(_layer(scene.instances[0]))
    Rules()([scene])
    assert scene.instances[0].drop_reason == reason
    assert np.isfinite(list(scene.instances[0].scores.values())).all()


def test_the_background_outlives_every_object(scene: Scene) -> None:
    for instance in scene.foregrounds:
        _emptied(_layer(instance))
    Rules()([scene])
    assert [instance.key for instance in scene.kept_instances] == ["bg"]


def test_a_background_that_is_nearly_all_invented_is_dropped(scene: Scene) -> None:
    Rules(max_background_hole_share=0.1)([scene])
    assert scene.instances[-1].drop_reason == "mostly_hidden"
