"""The merging of sources, with stand-ins that answer what a test tells them."""

import numpy as np
import pytest

from engine.imaging import box_of, iou
from engine.stages.roles import Answer, Found, Masks
from engine.stages.scene.ensemble import Ensemble
from tests.engine.stages.drawn import disc, scene_of, two_discs


class Says:
    """A detector that finds the same things in every picture and remembers what it was asked for."""

    def __init__(self, *found, needs_phrases=False):
        self.found, self.needs_phrases, self.asked = found, needs_phrases, []

    def __call__(self, pictures, phrases):
        self.asked += [list(some) for some in phrases]
        return [list(self.found) for _ in pictures]


class Knows:
    """A segmenter that knows all objects and answers a box with the one that fills it best."""

    def __init__(self, *masks):
        self.masks = masks

    def __call__(self, pictures, prompts):
        return [
            [self._answer(picture, prompt.box) for prompt in some]
            for picture, some in zip(pictures, prompts, strict=True)
        ]

    def _answer(self, picture, box):
        window = np.zeros(picture.shape[:2], bool)
        window[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = True
        best = max(self.masks, key=lambda mask: iou(mask, window))
        return Masks(best[None], np.array([0.9], np.float32))


FRONT, BEHIND = disc(120, 160, (60, 60), 28), disc(120, 160, (95, 60), 30)
ATTACHED = (FRONT, BEHIND & ~FRONT)


def run(*sources, masks=ATTACHED, depth=None, scene=None, **params):
    scene = scene or two_discs()
    scene.given, scene.instances, scene.in_front = (), [], []
    ensemble = Ensemble(depth=None, vocabulary=["ball"], **params)
    ensemble.sources = list(sources)
    ensemble.segmenter = Knows(*masks)
    ensemble.depth = depth
    ensemble([scene])
    return scene


def test_what_two_sources_see_is_one_object_with_their_names_weighed():
    scene = run(
        ("rf_detr", Says(Found("bowl", 0.9, box_of(FRONT)))),
        ("grounding_dino", Says(Found("red balls", 0.4, box_of(FRONT)), needs_phrases=True)),
        ("owlv2", Says(Found("ball", 0.2, box_of(FRONT)), needs_phrases=True)),
    )
    (instance,) = scene.instances
    assert (instance.label, instance.source) == ("red ball", "merged")
    assert instance.score == pytest.approx(1 - 0.2 * 0.3 * 0.4)


def test_open_vocabulary_is_asked_for_what_others_named_and_for_the_vocabulary():
    asking = Says(needs_phrases=True)
    run(("rf_detr", Says(Found("The Cups", 0.9, box_of(FRONT)))), ("grounding_dino", asking))
    assert asking.asked == [["cup", "ball"]]


def test_an_object_that_one_weak_witness_alone_has_seen_is_left_out():
    seen = Found("ghost", 0.5, box_of(FRONT))
    assert run(("language_locator", Says(seen)), least_score=0.6).drop_reason == "no_instances"
    confirmed = run(("language_locator", Says(seen)), ("owlv2", Says(seen, needs_phrases=True)), least_score=0.6)
    assert len(confirmed.instances) == 1


def test_the_nearer_of_two_is_in_front_where_shapes_are_silent():
    left, right = np.zeros((120, 160), bool), np.zeros((120, 160), bool)
    left[40:80, 40:80], right[40:80, 80:120] = True, True
    found = Says(Found("box", 0.9, box_of(left)), Found("crate", 0.9, box_of(right)))
    slope = np.linspace(0, 0.2, 160, dtype=np.float32) + np.zeros((120, 1), np.float32)

    def depth(pictures):
        return [slope + (np.arange(160) >= 80).astype(np.float32) for _ in pictures]

    scene = run(("rf_detr", found), masks=(left, right), depth=depth, scene=scene_of([left, right]))
    labels = {instance.key: instance.label for instance in scene.instances}
    assert [(labels[front], labels[behind]) for front, behind in scene.in_front] == [("crate", "box")]
    flat = run(("rf_detr", found), masks=(left, right), scene=scene_of([left, right]))
    assert flat.in_front == []


def test_a_pair_that_stays_open_is_put_to_the_language_network():
    left, right = np.zeros((120, 160), bool), np.zeros((120, 160), bool)
    left[40:80, 40:80], right[40:80, 80:120] = True, True
    scene = scene_of([left, right])
    scene.given, scene.instances, scene.in_front = (), [], []
    ensemble = Ensemble(depth=None, vocabulary=["ball"])
    ensemble.sources = [("rf_detr", Says(Found("box", 0.9, box_of(left)), Found("crate", 0.9, box_of(right))))]
    ensemble.segmenter = Knows(left, right)
    ensemble.order = lambda questions: [Answer('{"in_front": "red"}') for _ in questions]
    ensemble([scene])
    assert len(scene.in_front) == 1


def test_a_pixel_that_two_masks_claim_goes_to_the_one_in_front():
    found = Says(Found("ball", 0.9, box_of(FRONT)), Found("globe", 0.9, box_of(BEHIND)))
    scene = run(("rf_detr", found), masks=(FRONT, BEHIND))
    front = next(instance for instance in scene.instances if instance.label == "ball")
    assert iou(front.visible_hw, FRONT) > 0.9


def test_a_part_noun_inside_its_whole_is_no_object_of_its_own():
    car, wheel = disc(120, 160, (80, 60), 50), disc(120, 160, (80, 90), 12)
    found = Says(Found("car", 0.9, box_of(car)), Found("wheel", 0.9, box_of(wheel)))
    scene = run(("rf_detr", found), masks=(car, wheel), scene=scene_of([wheel, car]))
    assert [instance.label for instance in scene.instances] == ["car"]


def test_of_many_only_the_surest_are_cut_out():
    found = Says(Found("ball", 0.9, box_of(FRONT)), Found("globe", 0.2, box_of(BEHIND)))
    scene = run(("rf_detr", found), most=1)
    assert [instance.label for instance in scene.instances] == ["ball"]


def test_what_fills_the_picture_is_no_object():
    wall = np.ones((120, 160), bool)
    assert run(("rf_detr", Says(Found("wall", 0.9, (0, 0, 160, 120)))), masks=(wall,)).drop_reason == "no_instances"


def test_two_boxes_that_are_cut_out_alike_are_one_object_of_both_sources():
    x0, y0, x1, y1 = box_of(FRONT)
    whole, upper = Found("ball", 0.9, (x0, y0, x1, y1)), Found("globe", 0.2, (x0, y0, x1, (y0 + y1) / 2))
    scene = run(("rf_detr", Says(whole)), ("owlv2", Says(upper, needs_phrases=True)), masks=(FRONT,))
    (instance,) = scene.instances
    assert instance.source == "merged"
    assert iou(instance.visible_hw, FRONT) > 0.95


def test_several_under_one_name_are_no_object_beside_each_of_them():
    left, right = np.zeros((120, 160), bool), np.zeros((120, 160), bool)
    left[40:80, 20:70], right[40:80, 90:140] = True, True
    both = left | right
    found = [Found(name, 0.9, box_of(mask)) for name, mask in (("man", left), ("woman", right), ("people", both))]
    scene = run(("rf_detr", Says(*found)), masks=(left, right, both), scene=scene_of([left, right]))
    assert sorted(instance.label for instance in scene.instances) == ["man", "woman"]


def test_given_prompts_take_the_place_of_detection():
    scene = two_discs()
    scene.instances, scene.in_front = [], []
    ensemble = Ensemble(depth=None)
    ensemble.sources = [("rf_detr", Says(Found("nonsense", 0.9, (0, 0, 10, 10))))]
    ensemble.segmenter = Knows(*ATTACHED)
    ensemble([scene])
    assert sorted(instance.label for instance in scene.instances) == ["shape 0", "shape 1"]
    assert ensemble.sources[0][1].asked == []


def test_a_picture_in_which_nothing_is_found_is_dropped():
    assert run(("rf_detr", Says())).drop_reason == "no_instances"
