"""Where an object goes on under a cover, judged by its visible outline.

The outline is carried on under the cover by motion by mean curvature with the visible part held fixed (threshold
dynamics of Merriman, Bence and Osher 1992), starting from the convex hull and the ellipse that fits it: the shape
neither stops at a straight cut nor grows past what its visible outline suggests.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_of
from engine.records import Mask

_WINDOW_SHARE = 0.5
"""No hidden part lies further from the visible box than this share of its longer side."""
_ROOM_PX = 4
_WORKING_PX = 128
_SIGMAS = (0.2, 0.1, 0.05)
"""Smoothing from coarse to fine, in roots of the visible area."""
_STEPS = 8
_THRESHOLD = 0.46
"""Below one half the shape grows a little: what is covered tends to go on (measured on composites)."""


def continued(visible_hw: Mask, cover_hw: Mask) -> Mask:
    """The pixels of ``cover_hw`` onto which the shape ``visible_hw`` goes on; none for an empty shape."""
    hidden = np.zeros(visible_hw.shape, bool)
    box = box_of(visible_hw)
    if box is None:
        return hidden
    x0, y0, x1, y1 = (int(v) for v in box)
    room = round(_WINDOW_SHARE * max(x1 - x0, y1 - y0)) + _ROOM_PX
    window = np.s_[max(0, y0 - room) : y1 + room, max(0, x0 - room) : x1 + room]
    visible, cover = visible_hw[window], cover_hw[window]
    height, width = visible.shape
    scale = min(1.0, _WORKING_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(visible.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    small_cover = (cv2.resize(cover.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5) & ~small
    if small.any():
        shape = cv2.GaussianBlur(_moved_by_curvature(small, small_cover), (0, 0), 0.8)
        hidden[window] = cover & (cv2.resize(shape, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5)
    return hidden


def _moved_by_curvature(visible_hw: Mask, cover_hw: Mask) -> np.ndarray:
    shape = (visible_hw | (cover_hw & _first_guess(visible_hw))).astype(np.float32)
    root = float(np.sqrt(np.count_nonzero(visible_hw)))
    for sigma in _SIGMAS:
        for _ in range(_STEPS):
            blurred = cv2.GaussianBlur(shape, (0, 0), max(sigma * root, 0.7), borderType=cv2.BORDER_REPLICATE)
            shape = (visible_hw | (cover_hw & (blurred > _THRESHOLD))).astype(np.float32)
    return shape


def _first_guess(mask_hw: Mask) -> Mask:
    """The filled convex hull of the true pixels together with the ellipse that fits the hull."""
    out = np.zeros(mask_hw.shape, np.uint8)
    hull = cv2.convexHull(cv2.findNonZero(mask_hw.astype(np.uint8)))
    cv2.fillConvexPoly(out, hull, 1)
    if len(hull) >= 5:
        centre, axes, angle = cv2.fitEllipse(hull)
        if min(axes) > 0 and max(axes) < 2 * max(mask_hw.shape):
            cv2.ellipse(out, (centre, axes, angle), 1, cv2.FILLED)
    return out.astype(bool)
