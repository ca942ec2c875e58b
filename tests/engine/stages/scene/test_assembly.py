from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.stages.scene.assembly import cede_rims
from tests.engine.stages.drawn import disc, rectangle


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
