"""Every backend in the registry keeps its stage's promise on the same scenes, usual and odd.

Those with networks run on tiny random ones: what they find is nonsense, but it must be nonsense of the right shape.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from engine import registry
from engine.imaging import iou
from engine.recipes import cpu
from engine.records import STAGES, Scene
from engine.scene_file import dump
from tests.engine.recipes_of_tests import tiny_params
from tests.engine.stages.drawn import disc, rectangle, scene_of, smoothed, two_discs

WITH_NETWORKS = [row for row in registry.BACKENDS if row.queue == "gpu"]
WITHOUT = [row for row in registry.BACKENDS if row.queue == "cpu"]
ROWS = pytest.mark.parametrize("row", WITHOUT, ids=lambda row: f"{row.stage}-{row.name}")
NETWORK_ROWS = pytest.mark.parametrize("row", WITH_NETWORKS, ids=lambda row: f"{row.stage}-{row.name}")


def _one_pixel() -> Scene:
    return scene_of([rectangle(64, 96, 40, 20, 41, 21), disc(64, 96, (60, 40), 15)])


def _at_the_border() -> Scene:
    return scene_of([rectangle(90, 90, 0, 30, 25, 90), disc(90, 90, (30, 60), 25)])


def _whole_picture() -> Scene:
    return scene_of([rectangle(64, 64, 0, 0, 64, 64)])


def _one_pixel_high() -> Scene:
    return scene_of([rectangle(64, 200, 10, 30, 190, 31)])


def _many() -> Scene:
    places = [(20 + 34 * (n % 5), 20 + 30 * (n // 5)) for n in range(20)]
    return scene_of([disc(140, 180, place, 18) for place in places])


def _every_object_dropped() -> Scene:
    scene = two_discs()
    for instance in scene.instances:
        instance.drop_reason = "by_a_test"
    return scene


def _front_object_dropped() -> Scene:
    scene = two_discs()
    scene.instances[0].drop_reason = "by_a_test"
    return scene


def _nothing_given() -> Scene:
    scene = two_discs()
    scene.given = ()
    return scene


def _fifty() -> Scene:
    places = [(6 + 10 * (n % 10), 7 + 12 * (n // 10)) for n in range(50)]
    return scene_of([disc(62, 104, place, 4) for place in places])


CASES: dict[str, Callable[[], Scene]] = {
    "two_discs": two_discs,
    "soft_edges": lambda: smoothed(two_discs()),
    "one_pixel": _one_pixel,
    "at_the_border": _at_the_border,
    "whole_picture": _whole_picture,
    "one_pixel_high": _one_pixel_high,
    "many": _many,
    "fifty": _fifty,
    "every_object_dropped": _every_object_dropped,
    "front_object_dropped": _front_object_dropped,
    "nothing_given": _nothing_given,
}


def _before(stage: str, case: str) -> Scene:
    """A new copy of the scene of a case as it reaches ``stage``, taken there by the backends of recipe ``cpu``."""
    return deepcopy(_prepared(stage, case))


@cache
def _prepared(stage: str, case: str) -> Scene:
    scene = CASES[case]()
    if STAGES.index(stage) <= STAGES.index("scene"):
        scene.instances, scene.in_front = [], []
        return scene
    earlier = STAGES[STAGES.index(stage) - 1]
    if earlier == "scene":
        return scene
    scene = _before(earlier, case)
    spec = next(spec for spec in cpu().stages if spec.stage == earlier)
    registry.load(earlier, spec.backend, spec.params)([scene])
    return scene


def _check(stage: str, scene: Scene) -> None:
    import_module(f"engine.stages.{stage}.base").check(scene)


FEWER = [case for case in CASES if case != "fifty"]
WITH_NETWORKS_CASES = [case for case in CASES if case not in ("many", "soft_edges", "front_object_dropped")]


@ROWS
@pytest.mark.parametrize("case", FEWER)
def test_keeps_the_promise_of_its_stage(row: registry.BackendRow, case: str) -> None:
    scene = _before(row.stage, case)
    picture, keys = scene.image_hwc.copy(), [instance.key for instance in scene.instances]
    registry.load(row.stage, row.name)([scene])
    if scene.is_kept:
        _check(row.stage, scene)
    assert np.array_equal(scene.image_hwc, picture)
    assert [instance.key for instance in scene.instances][: len(keys)] == keys


@ROWS
@pytest.mark.parametrize("case", ["two_discs", "at_the_border"])
def test_two_runs_give_the_same_bytes(row: registry.BackendRow, case: str) -> None:
    runs = [_before(row.stage, case) for _ in range(2)]
    for scene in runs:
        registry.load(row.stage, row.name)([scene])
    assert dump(runs[0]) == dump(runs[1])


@ROWS
def test_a_scene_does_not_depend_on_its_batch(row: registry.BackendRow) -> None:
    alone, first, second = (_before(row.stage, case) for case in ("two_discs", "at_the_border", "two_discs"))
    registry.load(row.stage, row.name)([alone])
    registry.load(row.stage, row.name)([first, second])
    assert dump(alone) == dump(second)


@ROWS
@pytest.mark.parametrize("count", [0, 1, 3])
def test_returns_the_same_scenes_in_the_same_order(row: registry.BackendRow, count: int) -> None:
    scenes = [_before(row.stage, case) for case in ("two_discs", "at_the_border", "one_pixel")[:count]]
    returned = registry.load(row.stage, row.name)(list(scenes))
    assert [id(scene) for scene in returned] == [id(scene) for scene in scenes]


@ROWS
def test_does_not_revive_a_dropped_scene(row: registry.BackendRow) -> None:
    scene = _before(row.stage, "two_discs")
    scene.drop_reason = "by_a_test"
    registry.load(row.stage, row.name)([scene])
    assert not scene.is_kept


@ROWS
def test_every_number_it_reports_is_finite(row: registry.BackendRow) -> None:
    scene = _before(row.stage, "two_discs")
    registry.load(row.stage, row.name)([scene])
    numbers = scene.numbers[row.stage]
    assert numbers
    assert np.isfinite(list(numbers.values())).all()


# --- with networks ------------------------------------------------------------------------------------------------


@cache
def _networked(row: registry.BackendRow) -> registry.Backend:
    return registry.load(row.stage, row.name, tiny_params(row.stage, row.name))


@NETWORK_ROWS
@pytest.mark.parametrize("case", WITH_NETWORKS_CASES)
def test_with_networks_keeps_the_promise_of_its_stage(row: registry.BackendRow, case: str, tiny_weights: Path) -> None:
    scene = _before(row.stage, case)
    picture, keys = scene.image_hwc.copy(), [instance.key for instance in scene.instances]
    _networked(row)([scene])
    if scene.is_kept:
        _check(row.stage, scene)
    assert np.array_equal(scene.image_hwc, picture)
    assert [instance.key for instance in scene.instances][: len(keys)] == keys
    assert scene.numbers[row.stage]
    assert np.isfinite(list(scene.numbers[row.stage].values())).all()


@NETWORK_ROWS
def test_with_networks_two_runs_give_the_same_bytes(row: registry.BackendRow, tiny_weights: Path) -> None:
    runs = [_before(row.stage, "two_discs") for _ in range(2)]
    for scene in runs:
        _networked(row)([scene])
    assert dump(runs[0]) == dump(runs[1])


@NETWORK_ROWS
def test_with_networks_a_scene_hardly_depends_on_its_batch(row: registry.BackendRow, tiny_weights: Path) -> None:
    """Batched arithmetic differs in the last digits, so bytes may; what was found and made may not."""
    alone, first, second = (_before(row.stage, case) for case in ("two_discs", "at_the_border", "two_discs"))
    dropped = _before(row.stage, "one_pixel")
    dropped.drop_reason = "by_a_test"
    _networked(row)([alone])
    batch = [first, dropped, second]
    assert [id(scene) for scene in _networked(row)(list(batch))] == [id(scene) for scene in batch]
    assert not dropped.is_kept
    assert [(i.key, i.label) for i in alone.instances] == [(i.key, i.label) for i in second.instances]
    for one, other in zip(alone.instances, second.instances, strict=True):
        assert iou(one.visible_hw, other.visible_hw) > 0.98
        assert len(one.prompts) == len(other.prompts)
        if one.layer is not None and other.layer is not None:
            gap = np.abs(one.layer.rgba_hwc.astype(int) - other.layer.rgba_hwc)
            assert gap.mean() < 1


@NETWORK_ROWS
def test_with_networks_an_empty_batch_stays_empty(row: registry.BackendRow, tiny_weights: Path) -> None:
    assert _networked(row)([]) == []
