from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.imaging import box_of, iou
from engine.stages.completion import by_box, by_outline
from engine.stages.completion.hidden_region import ancestors, hidden_region
from tests.engine.stages.drawn import disc, rectangle, scene_of, two_discs


def test_ancestors_are_found_through_others() -> None:
    scene = two_discs()
    scene.instances.append(scene_of([disc(120, 160, (120, 60), 20)]).instances[0])
    scene.instances[2].key = "02"
    scene.in_front = [("00", "01"), ("01", "02")]
    assert [instance.key for instance in ancestors(scene, "02")] == ["00", "01"]


def test_the_foremost_object_hides_nothing() -> None:
    scene = two_discs()
    assert not hidden_region(scene, scene.instances[0]).any()


@pytest.mark.parametrize("distance", [30, 40, 50])
def test_a_covered_disc_is_completed_to_a_disc(distance: int) -> None:
    front, back = disc(160, 200, (70, 80), 35), disc(160, 200, (70 + distance, 80), 40)
    scene = scene_of([front, back])
    behind = scene.instances[1]
    completed = behind.visible_hw | hidden_region(scene, behind)
    assert iou(completed, back) > 0.9
    assert iou(completed, back) > iou(behind.visible_hw, back)


def test_a_bar_behind_a_disc_goes_through() -> None:
    scene = scene_of([disc(120, 200, (100, 60), 25), rectangle(120, 200, 20, 50, 180, 70)])
    assert hidden_region(scene, scene.instances[1])[60, 80:120].all()


def test_an_object_in_front_that_does_not_touch_hides_nothing() -> None:
    scene = scene_of([disc(120, 200, (150, 60), 25), disc(120, 200, (40, 60), 25)])
    scene.in_front = [("00", "01")]
    assert not hidden_region(scene, scene.instances[1]).any()


def test_a_box_that_reaches_under_the_cover_says_how_far_the_shape_goes() -> None:
    whole, cover = disc(160, 200, (120, 80), 40), rectangle(160, 200, 20, 20, 130, 140)
    scene = scene_of([cover, whole])
    behind = scene.instances[1]
    visible_only = iou(behind.visible_hw | hidden_region(scene, behind), whole)
    behind.box = box_of(whole) or behind.box
    assert iou(behind.visible_hw | hidden_region(scene, behind), whole) > max(0.85, visible_only)


@settings(max_examples=25, deadline=None)
@given(st.integers(10, 70), st.integers(10, 50), st.integers(1, 30), st.integers(1, 30))
def test_the_hidden_part_lies_under_the_cover(x: int, y: int, front_radius: int, back_radius: int) -> None:
    cover, whole = disc(60, 80, (40, 30), front_radius), disc(60, 80, (x, y), back_radius)
    visible = whole & ~cover
    assert not (by_outline.continued(visible, cover) & ~cover).any()
    assert not (by_box.continued(visible, cover, box_of(whole) or (0.0, 0.0, 1.0, 1.0)) & ~cover).any()
