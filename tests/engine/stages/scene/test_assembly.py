from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.imaging import box_of
from engine.merging import Detection
from engine.occlusion import Order
from engine.records import Mask, Scene
from engine.stages.scene.assembly import assemble, cede_rims
from tests.engine.stages.drawn import disc, rectangle

SIZE = (60, 100)
LEFT, RIGHT = rectangle(*SIZE, 20, 20, 55, 40), rectangle(*SIZE, 45, 20, 80, 40)
SHARED = (30, 50)
"""A pixel that both claim."""


def looking_like_the_right_one() -> Scene:
    """What both claim has the colour of the right one."""
    picture = np.full((*SIZE, 3), (200, 40, 40), np.uint8)
    picture[:, 45:] = (40, 40, 200)
    return Scene("0" * 64, picture)


def detected(mask: Mask, label: str) -> Detection:
    return Detection(label, 0.9, "merged", box_of(mask) or (0, 0, 0, 0), mask)


def owner_of_the_shared_pixel(confidence: float, is_order_trusted: bool) -> str:
    """With the left one in front, so confidently."""
    scene = looking_like_the_right_one()
    assemble(
        scene,
        [detected(LEFT, "left"), detected(RIGHT, "right")],
        order_of=lambda masks, boxes: Order(((0, 1, confidence),), (0, 1), 0),
        is_order_trusted=is_order_trusted,
    )
    (owner,) = [instance.label for instance in scene.instances if instance.visible_hw[SHARED]]
    return owner


def test_a_pixel_that_two_claim_goes_to_the_one_surely_in_front_where_the_order_is_trusted() -> None:
    assert owner_of_the_shared_pixel(0.9, is_order_trusted=True) == "left"


def test_else_its_colour_decides() -> None:
    assert owner_of_the_shared_pixel(0.3, is_order_trusted=True) == "right"
    assert owner_of_the_shared_pixel(0.9, is_order_trusted=False) == "right"


def test_what_is_too_small_is_left_out() -> None:
    scene = looking_like_the_right_one()
    assemble(scene, [detected(rectangle(*SIZE, 2, 2, 8, 8), "crumb"), detected(RIGHT, "right")])
    assert [instance.label for instance in scene.instances] == ["right"]


def test_the_object_in_front_takes_the_mixed_ring_of_the_one_behind() -> None:
    front = disc(512, 512, (200, 250), 80)
    behind = rectangle(512, 512, 200, 150, 400, 350) & ~front
    wider, narrower = cede_rims([front, behind], [(0, 1)])
    assert not narrower[250, 281:282].any()
    assert wider[250, 281:282].all()
    assert narrower[250, 286]


def test_an_object_keeps_what_borders_on_no_object_in_front() -> None:
    front = disc(512, 512, (200, 250), 80)
    behind = rectangle(512, 512, 200, 150, 400, 350) & ~front
    wider, narrower = cede_rims([front, behind], [(1, 0)])
    assert np.array_equal(wider | narrower, front | behind)
    assert (narrower & ~behind).any()
    assert not (wider & ~front).any()


def test_a_sliver_is_not_eaten_up() -> None:
    front, sliver = rectangle(512, 512, 100, 100, 300, 300), rectangle(512, 512, 300, 100, 302, 300)
    assert np.array_equal(cede_rims([front, sliver], [(0, 1)])[1], sliver)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 60), st.integers(2, 30)), min_size=2, max_size=4))
def test_ceding_moves_pixels_between_objects_and_loses_none(discs: list[tuple[int, int, int]]) -> None:
    taken, masks = np.zeros((60, 80), bool), []
    for x, y, radius in discs:
        mask = disc(60, 80, (x, y), radius) & ~taken
        taken |= mask
        masks.append(mask)
    edges = [(front, behind) for front in range(len(masks)) for behind in range(front + 1, len(masks))]
    after = cede_rims(masks, edges)
    assert np.array_equal(np.sum(after, axis=0), taken)
    assert all(now.any() == before.any() for now, before in zip(after, masks, strict=True))
