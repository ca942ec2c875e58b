"""What tells which of two touching objects is in front: kinds of evidence, each in -1..1 and antisymmetric.

Positive speaks for ``a`` in front of ``b``. A logistic regression weighs them into a probability; one near one half is
no answer, and the pair then gets no edge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import exp

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of
from engine.occlusion import TOUCH_PX, Order, are_adjacent, extent_evidence, hull_evidence, order_by
from engine.records import Box, Mask

Floats = NDArray[np.float32]

WEIGHTS: Mapping[str, float] = {"hull": 2.56, "junction": 9.23, "extent": 10.0, "depth": 3.0}
"""Log-odds per unit. ``hull`` and ``junction``: logistic regression without intercept on the 489 true pairs that touch
in composites 10000 to 10299 at 384 px, true visible masks (``python -m evaluation.fit_order``). ``extent`` and
``depth`` are chosen, not fitted: those pairs have no given boxes and no depth."""
_DISC_SHARE = 0.17
"""Radius of the disc around a junction, in roots of the smaller object's area; 0.06, 0.09, 0.12 and 0.25 were worse."""
ABSTAIN_WITHIN = 0.05
"""A probability this near one half is no answer."""
DISPUTED_WITHIN = 0.2
Settle = Callable[[Sequence[tuple[int, int]]], Sequence[float | None]]
_NEAR_PX, _FAR_PX = 4, 8
"""Depth is read between these distances from the shared border: nearer it is blurred across it."""


def evidence(
    a_hw: Mask, b_hw: Mask, a_box: Box | None = None, b_box: Box | None = None, depth_hw: Floats | None = None
) -> dict[str, float]:
    """All kinds for one pair; without a depth map that kind is 0."""
    window = _around(a_hw, b_hw)
    a, b = a_hw[window], b_hw[window]
    return {
        "hull": hull_evidence(a, b),
        "extent": extent_evidence(a_hw, b_hw, a_box, b_box),
        "junction": junction_evidence(a, b),
        "depth": 0.0 if depth_hw is None else depth_evidence(a, b, depth_hw[window], spread_of(depth_hw)),
    }


def probability(found: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """That ``a`` is in front, 0..1; antisymmetric evidence needs no bias."""
    return 1.0 / (1.0 + exp(-sum(weights[name] * value for name, value in found.items())))


def order(
    visible_masks: Sequence[Mask],
    boxes: Sequence[Box | None] = (),
    depth_hw: Floats | None = None,
    settle: Settle | None = None,
) -> Order:
    """Order disjoint visible masks by all kinds of evidence; confidence of an edge is how far from one half it was.

    ``settle`` is asked about the pairs that stay disputed (within ``DISPUTED_WITHIN`` of one half), for instance a
    network that sees the picture; it answers with the probability that the first is in front, or nothing.
    """
    masks, known = list(visible_masks), list(boxes) or [None] * len(visible_masks)
    pairs = [(i, j) for i, j in combinations(range(len(masks)), 2) if are_adjacent(masks[i], masks[j])]
    chance = {(i, j): probability(evidence(masks[i], masks[j], known[i], known[j], depth_hw)) for i, j in pairs}
    disputed = [pair for pair in pairs if abs(chance[pair] - 0.5) < DISPUTED_WITHIN]
    if settle is not None and disputed:
        answers = zip(disputed, settle(disputed), strict=True)
        chance |= {pair: answer for pair, answer in answers if answer is not None}

    def judge(i: int, j: int) -> float:
        away = chance[i, j] - 0.5
        return 2 * away if abs(away) >= ABSTAIN_WITHIN else 0.0

    return order_by(masks, judge)


def junction_evidence(a_hw: Mask, b_hw: Mask) -> float:
    """Where the shared border ends, the outline of the object in front goes straight on and the other one's turns.

    T-junctions (Nitzberg and Mumford 1990, *The 2.1-D sketch*), read as areas: a straight outline leaves half of a
    small disc around the junction to its object, a corner less or more.
    """
    border = _shared_border(a_hw, b_hw)
    outside = ~(a_hw | b_hw)
    near_outside = _grown(outside, 2)
    count, labels = cv2.connectedComponents((border & near_outside).astype(np.uint8), connectivity=8)
    if count < 2:
        return 0.0
    radius = max(3, round(_DISC_SHARE * np.sqrt(min(np.count_nonzero(a_hw), np.count_nonzero(b_hw)))))
    votes = []
    for k in range(1, count):
        rows, cols = np.nonzero(labels == k)
        disc = _disc(a_hw.shape, float(rows.mean()), float(cols.mean()), radius)
        if np.count_nonzero(disc) < 2.4 * radius**2:
            continue
        a_share, b_share = (np.count_nonzero(mask & disc) / np.count_nonzero(disc) for mask in (a_hw, b_hw))
        votes.append(abs(0.5 - b_share) - abs(0.5 - a_share))
    return float(np.clip(2 * np.mean(votes), -1.0, 1.0)) if votes else 0.0


def depth_evidence(a_hw: Mask, b_hw: Mask, depth_hw: Floats, spread: float) -> float:
    """Which side of the shared border is nearer; ``depth_hw`` is larger where it is nearer.

    Only a strip along the border counts: a table's whole median says nothing about the cup at its far end.
    """
    border = _shared_border(a_hw, b_hw)
    if not border.any() or spread <= 0:
        return 0.0
    distance = cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, 5)
    strip = (distance >= _NEAR_PX) & (distance <= _FAR_PX)
    a_strip, b_strip = strip & a_hw, strip & b_hw
    if not a_strip.any() or not b_strip.any():
        return 0.0
    gap = float(np.median(depth_hw[a_strip]) - np.median(depth_hw[b_strip]))
    return float(np.tanh(gap / spread))


def spread_of(depth_hw: Floats) -> float:
    """Median absolute deviation of a depth map: its own unit."""
    return float(np.median(np.abs(depth_hw - np.median(depth_hw))))


def _shared_border(a_hw: Mask, b_hw: Mask) -> Mask:
    """Pixels of either that lie within ``TOUCH_PX`` of the other."""
    return (_grown(a_hw, TOUCH_PX) & b_hw) | (_grown(b_hw, TOUCH_PX) & a_hw)


def _grown(mask_hw: Mask, px: int) -> Mask:
    return np.asarray(cv2.dilate(mask_hw.astype(np.uint8), np.ones((2 * px + 1, 2 * px + 1), np.uint8)), bool)


def _disc(shape: tuple[int, ...], y: float, x: float, radius: float) -> Mask:
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((rows - y) ** 2 + (cols - x) ** 2 <= radius**2)


def _around(a_hw: Mask, b_hw: Mask, room_px: int = 16) -> tuple[slice, slice]:
    box = box_of(a_hw | b_hw)
    if box is None:
        return np.s_[:, :]
    x0, y0, x1, y1 = (int(v) for v in box)
    return np.s_[max(0, y0 - room_px) : y1 + room_px, max(0, x0 - room_px) : x1 + room_px]
