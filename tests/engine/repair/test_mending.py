"""From marks to a finished layer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.imaging import iou
from engine.records import GivenPrompt, Mask, Picture
from engine.repair.grabcut import GrabCut
from engine.repair.marks import Hidden, Mark, Marks, Tool
from engine.repair.mending import EmptyMask, Subject, at_full_size, mend
from tests.engine.repair.drawn import BITE, CENTRE, HEIGHT, RADIUS, WIDTH, bar, bitten, disc

WHOLE = disc(CENTRE, RADIUS)


def mended(marks: Marks, subject: Subject | None = None) -> Picture:
    return at_full_size(mend(subject or bitten(), marks, GrabCut()), HEIGHT, WIDTH).rgba_hwc


def stroke(tool: Tool, *points: tuple[float, float], width: float = 4, hardness: float = 1.0) -> Mark:
    return Mark(tool, points, width, hardness)


def test_no_marks_give_the_old_layer_back() -> None:
    subject = bitten()
    rgba = mended(Marks(), subject)
    assert (rgba[..., 3] == subject.old.rgba_hwc[..., 3]).all()


def test_a_keep_stroke_mends_the_bite_and_leaves_the_hidden_part() -> None:
    subject = bitten()
    layer = at_full_size(mend(subject, Marks((stroke(Tool.KEEP, BITE, (44.0, 40.0)),)), GrabCut()), HEIGHT, WIDTH)
    assert iou(subject.old.amodal_hw, WHOLE) < 0.9
    assert iou(layer.amodal_hw, WHOLE) > 0.96
    hidden = WHOLE & bar()
    assert layer.rgba_hwc[hidden][:, 3].mean() > 240
    assert np.abs(layer.rgba_hwc[44:52, 79:83, :3].astype(int) - (200, 50, 40)).max() <= 12
    assert not layer.visible_hw[bar()].any()


def test_seen_opaque_pixels_are_the_photos_own() -> None:
    subject = bitten()
    layer = at_full_size(mend(subject, Marks((stroke(Tool.KEEP, BITE),)), GrabCut()), HEIGHT, WIDTH)
    sure = (layer.rgba_hwc[..., 3] == 255) & layer.visible_hw
    assert sure.sum() > 1000
    assert (layer.rgba_hwc[sure][:, :3] == subject.image_hwc[sure]).all()


def test_hard_paint_is_exactly_there_and_soft_paint_ends_softly() -> None:
    corner = (104.0, 20.0)
    hard = mended(Marks((stroke(Tool.PAINT, corner, (112.0, 20.0), width=12),)))
    soft = mended(Marks((stroke(Tool.PAINT, corner, (112.0, 20.0), width=12, hardness=0.2),)))
    assert (hard[16:24, 106:110, 3] == 255).all()
    assert (soft[19:21, 106:110, 3] == 255).all()
    assert soft[..., 3][10:30, 98:118].astype(int).sum() < hard[..., 3][10:30, 98:118].astype(int).sum()


def test_erased_pixels_are_gone_in_the_hidden_part_too() -> None:
    rgba = mended(Marks((stroke(Tool.ERASE, (70.0, 48.0), (92.0, 48.0), width=8),)))
    assert rgba[46:50, 72:90, 3].max() == 0


def test_painting_over_something_in_front_goes_on_behind_it() -> None:
    subject = bitten()
    layer = at_full_size(
        mend(subject, Marks((stroke(Tool.PAINT, (80.0, 80.0), (80.0, 88.0), width=6),)), GrabCut()), HEIGHT, WIDTH
    )
    there = np.s_[82:86, 79:82]
    assert (layer.rgba_hwc[there][..., 3] == 255).all()
    assert not layer.visible_hw[there].any()
    assert layer.rgba_hwc[there][..., 0].mean() > 150, "the colour of the disc, not of the bar"


def test_the_hidden_part_can_be_found_again() -> None:
    subject = bitten()
    subject.old.rgba_hwc[bar(), 3] = 0
    kept = mended(Marks((stroke(Tool.KEEP, BITE),)), subject)
    again = mended(Marks((stroke(Tool.KEEP, BITE),), hidden=Hidden.AGAIN), subject)
    hidden = WHOLE & bar()
    assert kept[hidden][:, 3].mean() < 60
    assert again[hidden][:, 3].mean() > 200


def test_a_later_mark_wins_over_an_earlier_one() -> None:
    there = np.s_[46:50, 58:62]
    erase, paint = stroke(Tool.ERASE, (60.0, 48.0), width=10), stroke(Tool.PAINT, (60.0, 48.0), width=10)
    assert mended(Marks((erase, paint)))[there][..., 3].min() == 255
    assert mended(Marks((paint, erase)))[there][..., 3].max() == 0


def test_erasing_everything_is_refused() -> None:
    with pytest.raises(EmptyMask):
        mended(Marks((stroke(Tool.ERASE, (0.0, 48.0), (128.0, 48.0), width=200),)))


def test_a_mask_is_a_start_in_place_of_the_layer() -> None:
    start = WHOLE & ~disc((44.0, 56.0), 8.0)
    rgba = mended(Marks(mask_hw=start), bitten(is_occluded=False))
    assert iou(rgba[..., 3] > 127, start) > 0.95


def test_a_preview_is_smaller_and_looks_the_same() -> None:
    subject, marks = bitten(), Marks((stroke(Tool.KEEP, BITE, (44.0, 40.0)),))
    full, small = mend(subject, marks, GrabCut()), mend(subject, marks, GrabCut(), longest_px=64)
    assert small.box == full.box
    assert max(small.layer.rgba_hwc.shape) == 64
    share = small.layer.amodal_hw.mean() / full.layer.amodal_hw.mean()
    assert 0.93 < share < 1.07


def test_the_same_marks_give_the_same_pixels() -> None:
    marks = Marks((stroke(Tool.KEEP, BITE), stroke(Tool.PAINT, (80.0, 80.0), width=8, hardness=0.5)))
    assert (mended(marks) == mended(marks)).all()


class Greedy:
    """A segmenter that takes all of the picture."""

    def segment(self, image_hwc: Picture, prompt: GivenPrompt, seed: int = 0) -> Mask:
        return np.ones(image_hwc.shape[:2], bool)


def test_what_is_found_does_not_grow_onto_an_object_in_front() -> None:
    layer = at_full_size(mend(bitten(), Marks((stroke(Tool.KEEP, CENTRE),)), Greedy()), HEIGHT, WIDTH)
    assert layer.visible_hw[20:24, 100:104].all()
    assert not layer.visible_hw[bar()].any()


def test_rounds_at_the_same_moment_do_not_disturb_each_other() -> None:
    """The web server answers with threads."""
    marks = Marks((stroke(Tool.KEEP, BITE),), hidden=Hidden.AGAIN)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: mended(marks).tobytes(), range(8)))
    assert len(set(results)) == 1
