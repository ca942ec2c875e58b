import cv2
import numpy as np
import pytest
from skimage import data

from engine.imaging import box_of, iou
from engine.records import GivenPrompt, Scene
from engine.stages.scene.base import check
from engine.stages.scene.classical import Classical, solidity
from engine.stages.scene.given_first import GivenFirst
from engine.stages.scene.proposals import border_saliency, from_haar, from_saliency, propose


def disc():
    return cv2.circle(np.zeros((200, 240), np.uint8), (120, 100), 45, 1, cv2.FILLED).astype(bool)


def picture():
    rng = np.random.default_rng(2)
    colours = np.where(disc()[..., None], (220, 80, 40), (90, 120, 150))
    return np.clip(colours + rng.normal(0, 6, colours.shape), 0, 255).astype(np.uint8)


def run(backend, image, *prompts):
    scene = Scene("cd" * 32, image, given=prompts)
    backend([scene])
    if scene.is_kept:
        check(scene)
    return scene


def test_saliency_is_high_on_what_stands_out_and_low_at_the_border():
    saliency = border_saliency(picture())
    assert saliency[disc()].mean() > 0.8
    assert saliency[:5].mean() < 0.1


def test_a_salient_object_gets_a_box_around_it():
    assert from_saliency(picture())[0].box == pytest.approx(box_of(disc()), abs=12)


def test_the_astronaut_has_a_face():
    faces = [p.box for p in from_haar(data.astronaut()) if p.label == "face"]
    assert any(x0 < 225 < x1 and y0 < 115 < y1 for x0, y0, x1, y1 in faces)


def test_proposals_are_in_pixels_of_the_full_picture():
    large = cv2.resize(picture(), None, fx=3, fy=3)
    assert propose(large)[0].box == pytest.approx([3 * side for side in box_of(disc())], abs=40)


def test_an_isolated_object_is_found_and_cut_out():
    (instance,) = run(Classical(), picture()).instances
    assert instance.source == "saliency"
    assert iou(instance.visible_hw, disc()) > 0.95


def test_a_flat_picture_has_no_instances():
    scene = run(Classical(), np.full((200, 240, 3), 90, np.uint8))
    assert (scene.drop_reason, scene.instances) == ("no_instances", [])


def test_numbers_count_the_proposals_of_each_source():
    numbers = run(Classical(), picture()).numbers["scene"]
    assert (numbers["proposals_saliency"], numbers["proposals_hog"], numbers["instances"]) == (1.0, 0.0, 1.0)


def test_solidity_is_the_share_of_the_hull():
    ring = disc() & ~cv2.erode(disc().astype(np.uint8), np.ones((41, 41))).astype(bool)
    assert solidity(disc()) > 0.98
    assert solidity(ring) < 0.9


def test_given_prompts_come_first():
    box = (10.0, 10.0, 60.0, 60.0)
    assert [i.source for i in run(GivenFirst(), picture(), GivenPrompt("corner", box)).instances] == ["given"]


def test_a_picture_without_prompts_gets_classical_proposals():
    assert [i.source for i in run(GivenFirst(), picture()).instances] == ["saliency"]


def test_given_first_hands_parameters_to_both_backends():
    backend = GivenFirst(given={"working_px": 100}, classical={"max_proposals": 1})
    assert (backend.given.params.working_px, backend.classical.params.max_proposals) == (100, 1)
