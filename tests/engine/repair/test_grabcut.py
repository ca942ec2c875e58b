"""Hints change the mask the right way, near them and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.imaging import iou
from engine.records import GivenPrompt, Stroke
from engine.repair.grabcut import GrabCut
from engine.repair.segmenter import SEGMENTERS, load_segmenter
from engine.stages.scene.grabcut import paint
from tests.engine.repair.drawn import BITE, BITE_RADIUS, CENTRE, HEIGHT, RADIUS, WIDTH, bitten, disc

WHOLE = disc(CENTRE, RADIUS)
IMAGE = bitten(is_occluded=False).image_hwc


def segment(start: np.ndarray, *strokes: Stroke) -> np.ndarray:
    return GrabCut().segment(IMAGE, GivenPrompt("", None, start, strokes))


def test_a_keep_stroke_brings_the_whole_missing_part_back() -> None:
    start = WHOLE & ~disc(BITE, BITE_RADIUS)
    assert iou(start, WHOLE) < 0.9
    assert iou(segment(start, Stroke((BITE, (44.0, 40.0)), 4, True)), WHOLE) > 0.97


def test_a_remove_stroke_takes_the_whole_bleed_away() -> None:
    bleed = disc((100.0, 48.0), 14.0)
    assert iou(segment(WHOLE | bleed, Stroke(((104.0, 48.0), (108.0, 50.0)), 4, False)), WHOLE) > 0.97


def test_far_from_the_strokes_the_mask_stays_as_it_was() -> None:
    far = disc((115.0, 85.0), 4.0)
    start = (WHOLE & ~disc(BITE, BITE_RADIUS)) | far
    result = segment(start, Stroke((BITE, (44.0, 40.0)), 3, True))
    assert (result[75:] == start[75:]).all()


def test_without_strokes_the_start_comes_back() -> None:
    start = disc((30.0, 30.0), 9.0)
    assert (segment(start) == start).all()


def test_a_box_starts_the_object_over() -> None:
    result = GrabCut().segment(IMAGE, GivenPrompt("", (26.0, 14.0, 94.0, 82.0), None))
    assert iou(result, WHOLE) > 0.95


points = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))
strokes = st.builds(Stroke, st.lists(points, min_size=1, max_size=4).map(tuple), st.floats(1, 20), st.booleans())


@settings(max_examples=25, deadline=None)
@given(st.lists(strokes, min_size=1, max_size=4))
def test_keep_strokes_are_always_inside_remove_strokes_never_and_the_same_again_is_the_same(
    drawn: list[Stroke],
) -> None:
    start = WHOLE & ~disc(BITE, BITE_RADIUS)
    result = segment(start, *drawn)
    keep, remove = paint(GivenPrompt("", strokes=tuple(drawn)), HEIGHT, WIDTH)
    assert result[keep].all()
    assert not result[remove].any()
    assert (segment(start, *drawn) == result).all()


@pytest.mark.parametrize("name", SEGMENTERS)
def test_every_segmenter_answers_a_mask_with_strokes(name: str) -> None:
    result = load_segmenter(name).segment(IMAGE, GivenPrompt("", None, WHOLE, (Stroke((CENTRE,), 3, True),)), 1)
    assert (result.dtype, result.shape) == (np.bool_, WHOLE.shape)
    assert result[int(CENTRE[1]), int(CENTRE[0])]
