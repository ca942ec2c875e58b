import cv2
import numpy as np
import pytest

from engine.imaging import box_of, iou
from engine.records import GivenPrompt, Scene
from engine.stages.scene.base import check
from engine.stages.scene.given import Given


def two_discs():
    """A red disc in front of a blue one on green: picture and visible masks, front first."""
    rng = np.random.default_rng(1)
    front = cv2.circle(np.zeros((160, 200), np.uint8), (80, 80), 35, 1, cv2.FILLED).astype(bool)
    behind = cv2.circle(np.zeros((160, 200), np.uint8), (115, 80), 35, 1, cv2.FILLED).astype(bool) & ~front
    image = np.full((160, 200, 3), (60, 130, 70), np.float64)
    image[behind], image[front] = (40, 60, 200), (200, 60, 50)
    return np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8), front, behind


def run(*prompts, image=None):
    scene = Scene("ab" * 32, two_discs()[0] if image is None else image, given=prompts)
    Given()([scene])
    if scene.is_kept:
        check(scene)
    return scene


def test_overlapping_boxes_give_disjoint_masks_in_the_right_order():
    _, front, behind = two_discs()
    scene = run(GivenPrompt("blue", box_of(behind)), GivenPrompt("red", box_of(front)))
    assert [i.label for i in scene.instances] == ["red", "blue"]
    assert scene.in_front == [("00", "01")]
    assert iou(scene.instances[0].visible_hw, front) > 0.9
    assert iou(scene.instances[1].visible_hw, behind) > 0.9


def test_an_instance_remembers_its_prompt_and_box():
    _, front, _ = two_discs()
    prompt = GivenPrompt("red", box_of(front), caption="the red disc")
    (instance,) = run(prompt).instances
    assert (instance.key, instance.source, instance.given, instance.box) == ("00", "given", prompt, box_of(front))


def test_a_box_over_the_border_is_clipped():
    (instance,) = run(GivenPrompt("red", (-40.0, 30.0, 130.0, 900.0))).instances
    assert instance.box == (0.0, 30.0, 130.0, 160.0)


@pytest.mark.parametrize(
    "prompt",
    [
        GivenPrompt("outside", (300.0, 300.0, 400.0, 400.0)),
        GivenPrompt("no area", (50.0, 50.0, 50.0, 90.0)),
        GivenPrompt("not a number", (float("nan"), 0.0, 50.0, 50.0)),
        GivenPrompt("empty mask", mask_hw=np.zeros((160, 200), bool)),
        GivenPrompt("mask of another size", mask_hw=np.ones((20, 20), bool)),
        GivenPrompt("nothing"),
    ],
)
def test_a_picture_with_only_unusable_prompts_is_dropped(prompt):
    scene = run(prompt)
    assert (scene.drop_reason, scene.instances) == ("no_instances", [])
    assert scene.numbers["scene"]["skipped"] == 1.0


def test_an_unusable_prompt_does_not_spoil_the_others():
    _, front, _ = two_discs()
    scene = run(GivenPrompt("outside", (300.0, 300.0, 400.0, 400.0)), GivenPrompt("red", box_of(front)))
    assert [i.label for i in scene.instances] == ["red"]


def test_numbers_tell_what_was_contested_and_ordered():
    _, front, behind = two_discs()
    numbers = run(GivenPrompt("a", mask_hw=front), GivenPrompt("b", mask_hw=behind | front)).numbers["scene"]
    assert (numbers["instances"], numbers["proposals_given"], numbers["order_edges"]) == (2.0, 2.0, 1.0)
    assert numbers["contested_share"] == pytest.approx(front.sum() / (front | behind).sum())


def test_a_rerun_gives_the_same_masks():
    _, front, behind = two_discs()
    prompts = GivenPrompt("a", box_of(front)), GivenPrompt("b", box_of(behind))
    once, again = run(*prompts), run(*prompts)
    for a, b in zip(once.instances, again.instances, strict=True):
        assert np.array_equal(a.visible_hw, b.visible_hw)
