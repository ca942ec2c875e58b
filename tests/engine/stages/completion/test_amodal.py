import numpy as np
import pytest

from engine.stages.completion import acceptance, amodal
from engine.stages.completion.crop import NEUTRAL
from engine.stages.completion.partial_background import behind
from tests.engine.stages.drawn import disc, rectangle, scene_of, two_discs

SIZE = (120, 160)


def test_the_region_lies_under_what_is_in_front_and_nowhere_else():
    scene = two_discs()
    front, back = scene.instances
    region = amodal.candidate_region(scene, back, reach=0.5)
    assert region.any()
    assert not (region & ~front.visible_hw).any()
    assert not amodal.candidate_region(scene, front, reach=0.5).any()


def test_the_region_does_not_reach_far_along_a_large_cover():
    wall, ball = rectangle(*SIZE, 0, 0, 60, 120), disc(*SIZE, (60, 60), 15)
    scene = scene_of([wall, ball])
    near, far = (amodal.candidate_region(scene, scene.instances[1], reach) for reach in (0.25, 2.0))
    assert near.sum() < 0.3 * far.sum()


def test_something_in_front_that_does_not_touch_hides_nothing():
    scene = scene_of([disc(*SIZE, (30, 60), 20), disc(*SIZE, (120, 60), 20)])
    scene.in_front = [("00", "01")]
    assert not amodal.candidate_region(scene, scene.instances[1], reach=5.0).any()


def test_the_context_shows_the_object_and_grey():
    picture = np.full((*SIZE, 3), 200, np.uint8)
    visible, region = disc(*SIZE, (60, 60), 20), rectangle(*SIZE, 80, 40, 120, 80)
    context = amodal.clean_context(picture, visible, region & ~visible)
    assert (context[visible & ~region] == 200).all()
    assert (context[~visible] == NEUTRAL).all()


def test_points_lie_deep_inside_and_apart():
    mask = rectangle(*SIZE, 10, 10, 50, 30) | rectangle(*SIZE, 100, 60, 140, 100)
    points = amodal.interior_points(mask, 2)
    assert len(points) == 2
    assert all(mask[int(y), int(x)] for x, y in points)
    assert np.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1]) > 50


def test_of_the_segmented_object_only_what_lies_in_the_region_is_added():
    visible, region = rectangle(*SIZE, 20, 20, 60, 60), rectangle(*SIZE, 60, 20, 100, 60)
    painted = rectangle(*SIZE, 20, 20, 80, 60)
    whole = amodal.amodal_mask(painted, visible, region, region)
    assert (whole == painted).all()
    shrunk = amodal.amodal_mask(rectangle(*SIZE, 21, 20, 80, 60), visible, region, region)
    assert (shrunk & visible).sum() == visible.sum()


def test_a_segmentation_of_another_object_is_no_answer():
    visible, region = rectangle(*SIZE, 20, 20, 60, 60), rectangle(*SIZE, 60, 20, 100, 60)
    assert amodal.amodal_mask(rectangle(*SIZE, 40, 20, 80, 60), visible, region, region) is None
    assert amodal.amodal_mask(None, visible, region, region) is None


def test_the_candidate_nearest_to_the_mean_comes_first():
    masks = [rectangle(*SIZE, 20, 20, 60, y) for y in (60, 64, 110)]
    assert amodal.nearest_to_mean(masks)[0] == 1
    assert amodal.nearest_to_mean([]) == []


def test_visible_pixels_stay_the_sources_own_and_others_untouched():
    rng = np.random.default_rng(0)
    source, painted = rng.integers(0, 256, (2, *SIZE, 3), np.uint8)
    visible, hidden = disc(*SIZE, (60, 60), 20), rectangle(*SIZE, 80, 40, 120, 80)
    hidden &= ~visible
    out = amodal.paste(source, painted, visible, hidden)
    assert (out[~hidden] == source[~hidden]).all()
    assert (out[hidden] != source[hidden]).any()


def test_painted_colours_are_matched_to_the_object():
    source, painted = np.zeros((*SIZE, 3), np.uint8), np.zeros((*SIZE, 3), np.uint8)
    rng = np.random.default_rng(1)
    source[:] = 60 + rng.integers(0, 10, source.shape)
    painted[:] = 180 + rng.integers(0, 10, source.shape)
    visible, hidden = rectangle(*SIZE, 20, 20, 80, 100), rectangle(*SIZE, 80, 20, 120, 100)
    out = amodal.paste(source, painted, visible, hidden)
    assert abs(out[hidden].mean() - source[visible].mean()) < 12


def test_the_seam_starts_at_the_objects_own_colour():
    source = np.full((*SIZE, 3), 100, np.uint8)
    painted = source.copy()
    painted[:, 80:83] = 255
    visible, hidden = rectangle(*SIZE, 20, 20, 80, 100), rectangle(*SIZE, 80, 20, 120, 100)
    soft, hard = (amodal.paste(source, painted, visible, hidden, feather) for feather in (8.0, 0.0))
    assert soft[60, 80, 0] < hard[60, 80, 0]


@pytest.mark.parametrize(
    ("visible", "amodal_mask", "reason"),
    [
        (rectangle(*SIZE, 0, 0, 10, 10), rectangle(*SIZE, 0, 0, 60, 60), "grew_too_much"),
        (rectangle(*SIZE, 0, 0, 40, 40), rectangle(*SIZE, 0, 0, 40, 40) | disc(*SIZE, (100, 60), 9), "fell_apart"),
        (rectangle(*SIZE, 0, 0, 40, 40), rectangle(*SIZE, 0, 0, 60, 40), ""),
    ],
)
def test_a_shape_that_cannot_be_the_object_is_refused(visible, amodal_mask, reason):
    assert acceptance.shape_failure(visible, amodal_mask, max_growth=5.0) == reason


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        ({"leak": 0.6}, "occluder_repainted"),
        ({"similarity": 0.2}, "another_object"),
        ({"label_gain": -0.2}, "less_like_its_label"),
        ({"leak": 0.1, "similarity": 0.9, "label_gain": 0.0}, ""),
        ({}, ""),
    ],
)
def test_a_look_that_gives_it_away_is_refused(seen, reason):
    assert acceptance.look_failure(**seen) == reason


def test_behind_an_object_stand_those_behind_it_and_not_those_in_front():
    from engine import registry

    scene = scene_of([disc(*SIZE, (40, 60), 20), disc(*SIZE, (70, 60), 25), disc(*SIZE, (100, 60), 25)])
    registry.load("completion", "classical")([scene])
    front, middle, last = scene.instances[:3]
    picture = behind(scene, middle)
    assert (picture[last.visible_hw] == scene.image_hwc[last.visible_hw]).all()
    inside = front.visible_hw & ~last.amodal_hw
    assert (picture[inside] == scene.background.completed_hwc[inside]).all()
