"""Seconds a round of mending takes at 512 px, and what a stroke is worth: a hint against painting the same stroke.

The person is simulated: a stroke along the deepest line of the largest wrong piece. Truth is exact (composites).
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from engine.composites.generator import compose
from engine.imaging import box_of, iou, union
from engine.records import GivenPrompt, Mask, RGBALayer
from engine.repair.grabcut import GrabCut
from engine.repair.marks import Mark, Marks, Tool
from engine.repair.mending import Subject, at_full_size, mend
from engine.stages.scene.grabcut import cut_out

SIZE_PX = 512
COMPOSITES = 8
STROKES = 3
LEAST_PX = 800
PREVIEW_PX = 512
HINT, PAINT = (Tool.KEEP, Tool.REMOVE), (Tool.PAINT, Tool.ERASE)


@dataclass
class Case:
    subject: Subject
    truth_hw: Mask
    ious: dict[str, list[float]] = field(default_factory=dict)
    preview_s: list[float] = field(default_factory=list)
    final_s: list[float] = field(default_factory=list)


def _cases() -> list[Case]:
    """Every object of the composites, its layer as GrabCut of its box alone sees it."""
    cases = []
    for seed in range(COMPOSITES):
        composite = compose(seed, SIZE_PX)
        for number, true in enumerate(composite.layers):
            visible = true.layer.visible_hw
            if np.count_nonzero(visible) < LEAST_PX:
                continue
            mask = cut_out(composite.source_hwc, GivenPrompt("", box_of(visible)), 0)
            rgba = np.dstack([composite.source_hwc, mask.astype(np.uint8) * 255])
            front = union((other.layer.visible_hw for other in composite.layers[:number]), SIZE_PX, SIZE_PX)
            subject = Subject(composite.source_hwc, RGBALayer(rgba, mask), front, composite.background_hwc)
            cases.append(Case(subject, visible))
    return cases


def _stroke(mask_hw: Mask, truth_hw: Mask, tools: tuple[Tool, Tool]) -> Mark | None:
    """Through the largest piece that is missing or too much; ``None`` when nothing of note is wrong."""
    pieces = []
    for tool, wrong in zip(tools, (truth_hw & ~mask_hw, mask_hw & ~truth_hw), strict=True):
        _, labels, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=4)
        if len(stats) > 1:
            number = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
            pieces.append((int(stats[number, cv2.CC_STAT_AREA]), tool, labels == number))
    area, tool, piece = max(pieces, key=lambda found: found[0], default=(0, tools[0], mask_hw))
    if area < 30:
        return None
    depth = cv2.distanceTransform(np.pad(piece.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    ys, xs = np.nonzero(depth > 0.6 * depth.max())
    far = int(np.argmax(np.hypot(ys - y, xs - x)))
    line = np.zeros(piece.shape, np.uint8)
    cv2.line(line, (int(x), int(y)), (int(xs[far]), int(ys[far])), 1, 1)
    points = [(x + 0.5, y + 0.5), (xs[far] + 0.5, ys[far] + 0.5)]
    fits = piece[line.astype(bool)].all()
    return Mark(tool, tuple((float(a), float(b)) for a, b in points[: 2 if fits else 1]), max(2.0, 0.8 * depth.max()))


def _mend(case: Case, name: str, tools: tuple[Tool, Tool]) -> None:
    strokes: tuple[Mark, ...] = ()
    visible = case.subject.old.visible_hw
    case.ious[name] = [iou(visible, case.truth_hw)]
    for _ in range(STROKES):
        stroke = _stroke(visible, case.truth_hw, tools)
        if stroke is not None:
            strokes = (*strokes, stroke)
            begun = time.perf_counter()
            mend(case.subject, Marks(strokes), GrabCut(), longest_px=PREVIEW_PX)
            previewed = time.perf_counter()
            mended = at_full_size(mend(case.subject, Marks(strokes), GrabCut()), SIZE_PX, SIZE_PX)
            case.preview_s.append(previewed - begun)
            case.final_s.append(time.perf_counter() - previewed)
            visible = mended.visible_hw
        case.ious[name].append(iou(visible, case.truth_hw))


@pytest.mark.parametrize(("name", "tools"), [("hints", HINT), ("painted", PAINT)])
def test_a_round_of_mending(bench, name, tools):
    cases = _cases()
    _mend(cases[0], name, tools)  # compile what Numba compiles
    cases[0] = Case(cases[0].subject, cases[0].truth_hw)
    for case in cases:
        _mend(case, name, tools)
    for number in range(STROKES + 1):
        mean = statistics.mean(case.ious[name][number] for case in cases)
        bench(f"repair, {name}: mean IoU after {number} strokes", mean, "", f"n={len(cases)}, {SIZE_PX} px")
    for what in ("preview_s", "final_s"):
        seconds = sorted(s for case in cases for s in getattr(case, what))
        label = "preview" if what == "preview_s" else "full size"
        bench(f"repair, {name}: round, {label}, median", statistics.median(seconds), "s", f"n={len(seconds)}")
        bench(f"repair, {name}: round, {label}, p95", seconds[int(0.95 * len(seconds))], "s")
