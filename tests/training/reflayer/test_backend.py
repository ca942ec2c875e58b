"""The completion backend on an untrained network: nonsense, but nonsense that keeps the stage's promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.records import LayerKind, Scene
from engine.scene_file import dump
from engine.stages.completion import base
from tests.engine.stages.drawn import disc, rectangle, scene_of, two_discs
from tests.training.reflayer import small
from training.reflayer.backend import RefLayer
from training.reflayer.card import Card
from training.reflayer.checkpoint import BrokenCheckpoint, save_pipeline


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> RefLayer:
    made = small.pipeline()
    made.alpha_decoder.decoder.conv_out.bias.data.fill_(2.0)  # everything is the layer, so hidden parts are found
    folder = tmp_path_factory.mktemp("backend") / "checkpoint"
    save_pipeline(made, folder, Card("test", "", "", "", {}, ""))
    return registry.load("completion", "reflayer", {"checkpoint": str(folder), "steps": 1, "batch": 2})


def _nothing_in_front() -> Scene:
    return scene_of([rectangle(64, 96, 10, 10, 30, 30), disc(64, 96, (70, 40), 15)])


@pytest.mark.parametrize("make", [two_discs, _nothing_in_front])
def test_the_promise_of_the_stage_is_kept(backend: RefLayer, make) -> None:
    scene = make()
    backend([scene])
    base.check(scene)
    assert np.isfinite(list(scene.numbers["completion"].values())).all()


def test_a_hidden_part_is_found_only_under_what_is_in_front(backend: RefLayer) -> None:
    scene, free = two_discs(), _nothing_in_front()
    backend([scene, free])
    grown = [bool((i.amodal_hw & ~i.visible_hw).any()) for i in scene.foregrounds]
    assert grown == [False, True]
    assert not any((i.amodal_hw & ~i.visible_hw).any() for i in free.foregrounds)


def test_the_background_keeps_what_no_object_covers(backend: RefLayer) -> None:
    scene = two_discs()
    backend([scene])
    background = scene.background
    assert background.kind is LayerKind.BACKGROUND
    seen = background.visible_hw
    assert np.array_equal(background.completed_hwc[seen], scene.image_hwc[seen])
    assert not (seen & scene.foregrounds[0].visible_hw).any()


def test_two_runs_and_other_batches_give_the_same_bytes(backend: RefLayer) -> None:
    alone, again = two_discs(), two_discs()
    backend([alone])
    backend([_nothing_in_front(), again])
    assert dump(alone) == dump(again)


def test_a_picture_too_small_for_the_network_is_dropped_with_the_reason(backend: RefLayer) -> None:
    scene = scene_of([rectangle(12, 40, 4, 4, 20, 9)])
    backend([scene])
    assert scene.drop_reason == "too_small"


def test_a_checkpoint_that_is_none_is_said_at_loading(tmp_path: Path) -> None:
    with pytest.raises(BrokenCheckpoint, match="no checkpoint"):
        registry.load("completion", "reflayer", {"checkpoint": str(tmp_path)})
