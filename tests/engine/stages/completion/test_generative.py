"""The procedure around the networks, with stand-ins that paint and see what a test tells them."""

import numpy as np
import pytest

from engine.imaging import iou
from engine.stages.completion import background, objects
from engine.stages.completion.base import check
from engine.stages.roles import Found, Masks
from tests.engine.stages.drawn import disc, scene_of, two_discs

SIZE = (120, 160)
GREEN = (40, 170, 60)


class Paints:
    """Fills every hole with a colour, seeds shifting it a little; remembers what it was asked."""

    is_generative = True

    def __init__(self, *colours):
        self.colours, self.asked = colours, []

    def __call__(self, holes):
        out = []
        for hole in holes:
            picture = hole.picture_hwc.copy()
            picture[hole.hole_hw] = self.colours[len(self.asked) % len(self.colours)]
            self.asked.append(hole)
            out.append(picture)
        return out


class SegmentsBy:
    """Sees the object wherever the picture is not grey."""

    def __init__(self, *rules):
        self.rules, self.count = rules, 0

    def __call__(self, pictures, prompts):
        out = []
        for picture in pictures:
            rule = self.rules[self.count % len(self.rules)]
            self.count += 1
            out.append([Masks(rule(picture)[None], np.ones(1, np.float32))])
        return out


def not_grey(picture):
    return np.abs(picture.astype(int) - 128).max(axis=2) > 8


LIMITS = objects.Limits(candidates=2, native_px=128, least_crop_px=32)


def complete(scene, painter, segmenter=None, limits=LIMITS, **judges):
    objects.complete([scene], painter, objects.Judges(segmenter, **judges), limits)
    return scene


def test_the_hidden_part_is_what_was_painted_and_segmented_under_the_cover():
    scene = complete(two_discs(), Paints(GREEN), SegmentsBy(not_grey))
    front, back = scene.instances
    hidden = back.amodal_hw & ~back.visible_hw
    assert hidden.any()
    assert not (hidden & ~front.visible_hw).any()
    assert (front.amodal_hw == front.visible_hw).all()
    assert np.abs(back.completed_hwc[hidden].astype(int) - GREEN).mean() < 25


def test_the_painter_never_sees_the_occluder():
    painter = Paints(GREEN)
    complete(two_discs(), painter, SegmentsBy(not_grey))
    red = [((h.picture_hwc[..., 0] > 180) & (h.picture_hwc[..., 1] < 120)).any() for h in painter.asked]
    assert not any(red)
    assert all(hole.avoid == "shape 0" and hole.text.startswith("shape 1") for hole in painter.asked)
    assert len({hole.seed for hole in painter.asked}) == 2


def test_a_candidate_that_is_another_object_is_passed_over_for_the_next():
    nothing_right = SegmentsBy(lambda picture: np.zeros(picture.shape[:2], bool), not_grey)
    scene = complete(two_discs(), Paints(GREEN), nothing_right)
    back = scene.instances[1]
    assert scene.numbers["completion"]["failed_segmented_as_another"] == 1.0
    assert "completion_failed" not in back.scores
    assert (back.amodal_hw & ~back.visible_hw).any()


def test_when_no_candidate_may_stand_the_object_keeps_what_is_seen_and_says_so():
    blind = SegmentsBy(lambda picture: np.zeros(picture.shape[:2], bool))
    back = complete(two_discs(), Paints(GREEN), blind).instances[1]
    assert back.scores["completion_failed"] == 1.0
    assert (back.amodal_hw == back.visible_hw).all()


def test_growth_beyond_the_limit_is_refused():
    limits = objects.Limits(candidates=1, native_px=128, least_crop_px=32, max_growth=1.01)
    scene = complete(two_discs(), Paints(GREEN), SegmentsBy(not_grey), limits)
    assert scene.numbers["completion"]["failed_grew_too_much"] == 1.0


class Detects:
    needs_phrases = True

    def __init__(self, phrase, box, times=1):
        self.phrase, self.box, self.times, self.asked = phrase, box, times, []

    def __call__(self, pictures, phrases):
        self.asked += [list(some) for some in phrases]
        self.times -= 1
        height, width = pictures[0].shape[:2]
        box = self.box or (0, 0, width, height)
        return [[Found(self.phrase, 0.9, box)] if self.times >= 0 else [] for _ in pictures]


def test_an_occluder_that_was_painted_again_is_refused():
    detector = Detects("shape 0", None, times=9)
    scene = complete(two_discs(), Paints(GREEN), SegmentsBy(not_grey), detector=detector)
    assert scene.instances[1].scores["completion_failed"] == 1.0
    assert scene.numbers["completion"]["failed_occluder_repainted"] == 2.0
    assert detector.asked[0] == ["shape 0"]


def test_features_that_changed_too_much_are_refused():
    def features(pictures):
        return np.eye(2, dtype=np.float32)

    scene = complete(two_discs(), Paints(GREEN), SegmentsBy(not_grey), features=features)
    assert scene.numbers["completion"]["failed_another_object"] == 2.0


def test_objects_that_nothing_covers_are_not_painted():
    painter = Paints(GREEN)
    complete(scene_of([disc(*SIZE, (30, 60), 20), disc(*SIZE, (120, 60), 20)]), painter)
    assert painter.asked == []


def test_a_painter_without_text_gets_the_picture_itself_and_shape_decides():
    painter = Paints(GREEN)
    painter.is_generative = False
    scene = complete(two_discs(), painter)
    truth = disc(*SIZE, (95, 60), 30)
    assert len(painter.asked) == 1
    assert iou(scene.instances[1].amodal_hw, truth) > 0.85


# --- background ---------------------------------------------------------------------------------------------------


def filled(scene, structure, refine=None, detector=None, **limits):
    complete(scene, Paints(GREEN), SegmentsBy(not_grey))
    background.fill([scene], structure, refine, detector, background.Limits(**limits))
    scene.numbers["completion"].setdefault("seen", 0.0)
    check(scene)
    return scene.background


def test_outside_the_hole_the_background_is_the_picture():
    scene = two_discs()
    made = filled(scene, Paints((1, 2, 3)))
    assert (made.completed_hwc[made.visible_hw] == scene.image_hwc[made.visible_hw]).all()
    assert (made.completed_hwc[~made.visible_hw] == (1, 2, 3)).all()
    assert not (made.visible_hw & scene.instances[0].visible_hw).any()


def test_only_a_large_hole_gets_the_second_pass():
    fine = Paints((9, 9, 9))
    assert (filled(two_discs(), Paints((1, 2, 3)), fine).completed_hwc == 9).any()
    small = scene_of([disc(*SIZE, (80, 60), 6)])
    made = filled(small, Paints((1, 2, 3)), fine)
    assert (made.completed_hwc[~made.visible_hw] == (1, 2, 3)).all()


def test_the_painter_is_told_about_the_scene_and_not_about_what_was_removed():
    painter = Paints((1, 2, 3))
    filled(two_discs(), painter)
    assert "shape" not in painter.asked[0].text
    assert painter.asked[0].avoid == "shape 0, shape 1"


def test_a_removed_thing_that_came_back_is_painted_over_wider_by_structure_alone():
    structure, fine = Paints((1, 2, 3)), Paints((9, 9, 9))
    scene = two_discs()
    made = filled(scene, structure, fine, Detects("shape 0", (40, 40, 80, 80)))
    assert (made.completed_hwc[~made.visible_hw] == (1, 2, 3)).all()
    assert structure.asked[1].hole_hw.sum() > structure.asked[0].hole_hw.sum()
    assert scene.numbers["completion"]["background_painted_again"] == 1.0


def test_a_scene_whose_every_object_was_dropped_is_its_own_background():
    scene = two_discs()
    for instance in scene.instances:
        instance.drop_reason = "by_a_test"
    background.fill([scene], Paints((1, 2, 3)), None, None, background.Limits())
    assert (scene.background.completed_hwc == scene.image_hwc).all()
    assert pytest.approx(1.0) == scene.background.visible_hw.mean()
