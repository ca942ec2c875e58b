"""The rules around a matting network, with a stand-in that answers what a test tells it."""

import numpy as np
import pytest

from engine import registry
from engine.stages.postprocess.base import check
from engine.stages.postprocess.matting import Matting
from tests.engine.stages.drawn import disc, scene_of, smoothed, two_discs


class Answers:
    def __init__(self, rule):
        self.rule, self.asked = rule, []

    def __call__(self, pictures, trimaps):
        self.asked += list(zip(pictures, trimaps, strict=True))
        return [self.rule(picture, trimap) for picture, trimap in zip(pictures, trimaps, strict=True)]


def run(scene, rule=lambda picture, trimap: trimap):
    registry.load("completion", "classical")([scene])
    backend = Matting(matter={"network": "pymatting"})
    backend.matter = Answers(rule)
    backend([scene])
    check(scene)
    return scene, backend.matter


def test_the_network_decides_the_band_and_nothing_else():
    scene = smoothed(scene_of([disc(240, 240, (120, 120), 90)]))
    scene, matter = run(scene, lambda picture, trimap: np.full_like(trimap, 0.7))
    alpha = scene.instances[0].layer.alpha_hw
    assert {round(float(a), 2) for a in np.unique(alpha)} == {0.0, 0.7, 1.0}
    assert len(matter.asked) == 1


def test_where_the_object_goes_on_under_its_occluder_alpha_stays_1():
    scene, _ = run(two_discs())
    front, back = scene.instances[:2]
    deep = back.amodal_hw & front.visible_hw & disc(120, 160, (95, 60), 22)
    assert (back.layer.alpha_hw[deep] == 1.0).all()


def test_a_matte_of_something_else_is_refused_for_the_masks_own_edge():
    scene = scene_of([disc(120, 160, (60, 60), 6)])
    scene, _ = run(scene, lambda picture, trimap: np.where(trimap == 0.5, 1.0, trimap).astype(np.float32))
    assert scene.numbers["postprocess"]["mattes_rejected"] == 1.0
    assert scene.instances[0].layer.amodal_hw.sum() == pytest.approx(scene.instances[0].visible_hw.sum(), rel=0.1)


def test_no_pixel_of_a_glass_is_known_to_be_opaque():
    clear, solid = scene_of([disc(120, 160, (60, 60), 30)], ["wine glass"]), scene_of([disc(120, 160, (60, 60), 30)])
    (_, of_glass), (_, of_solid) = run(clear)[1].asked[0], run(solid)[1].asked[0]
    assert (of_glass == 1).sum() == 0
    assert (of_solid == 1).sum() > 0


def test_fur_gets_a_wider_band_than_a_box():
    def unknown(label):
        _, matter = run(scene_of([disc(240, 240, (120, 120), 90)], [label]))
        return (matter.asked[0][1] == 0.5).sum()

    assert unknown("dog") > 1.5 * unknown("box")
