"""Where an object goes on under a cover, judged by a box that says how far it goes.

Each covered pixel is judged by how near it is to the middle of the object's box, by how much of what can be seen around
it, at its mirror images and in the whole box is the object, and by whether it lies beyond the visible extent, where
something of the object must be. A logistic regression weighs these, so the hidden part is what is likelier there than
not, the choice of least expected error.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_of, box_to_mask
from engine.logit import Floats, Weights, weigh
from engine.records import Box, Mask

HIDDEN: Weights = {
    "radius": -1.76,
    "around": 1.78,
    "mirrored": 1.86,
    "filled": -1.73,
    "unreached": 0.71,
    "bias": 0.24,
}
"""Log-odds per unit of evidence; ``evaluation.fit_engine`` made them and says from what."""
_AROUND_SHARE = 0.12
"""How far around a pixel the object is looked for, in roots of its visible area."""


def continued(visible_hw: Mask, cover_hw: Mask, box: Box) -> Mask:
    """The pixels of ``cover_hw`` in the box that are likelier of the object seen as ``visible_hw`` than not."""
    return np.asarray(within(cover_hw, box) & (weigh(look(visible_hw, cover_hw, box), HIDDEN) > 0), bool)


def within(cover_hw: Mask, box: Box) -> Mask:
    """Where the object may go on: ``[H,W]``, covered and in its box."""
    return np.asarray(cover_hw & box_to_mask(box, *cover_hw.shape), bool)


def look(visible_hw: Mask, cover_hw: Mask, box: Box) -> dict[str, Floats]:
    """One map ``[H,W]`` per kind of evidence."""
    return {
        "radius": np.minimum(_radius(box, *visible_hw.shape), 4.0),
        "around": _around(visible_hw, cover_hw),
        "mirrored": _mirrored(visible_hw, cover_hw, box),
        "filled": _filled(visible_hw, cover_hw, box),
        "unreached": _unreached(visible_hw),
    }


def _offsets(box: Box, height: int, width: int) -> tuple[Floats, Floats]:
    """How far each column and each row is from the middle of the box; 1 on its sides."""
    x0, y0, x1, y1 = box
    across = (2 * np.arange(width) + 1 - x0 - x1) / max(1.0, x1 - x0)
    along = (2 * np.arange(height) + 1 - y0 - y1) / max(1.0, y1 - y0)
    return across.astype(np.float32), along.astype(np.float32)


def _radius(box: Box, height: int, width: int) -> Floats:
    across, along = _offsets(box, height, width)
    return np.asarray(np.add.outer(along**2, across**2), np.float32)


def _around(visible_hw: Mask, cover_hw: Mask) -> Floats:
    """Share of the object among what is not covered around each pixel, 0..1."""
    sigma = _AROUND_SHARE * float(np.sqrt(np.count_nonzero(visible_hw)))
    object_there, seen = (
        cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(0.5, sigma)) for mask in (visible_hw, ~cover_hw)
    )
    return np.asarray(np.clip(object_there / (seen + 1e-3), 0.0, 1.0), np.float32)


def _mirrored(visible_hw: Mask, cover_hw: Mask, box: Box) -> Floats:
    """Share of the object among the mirror images of a pixel that are not covered: left to right, top to bottom, both.

    One half, more or less, where all of them are covered.
    """
    height, width = visible_hw.shape
    x0, y0, x1, y1 = box
    object_there, seen = (np.full(visible_hw.shape, prior, np.float32) for prior in (0.25, 0.5))
    for left_right, top_bottom in ((True, False), (False, True), (True, True)):
        across = (-1.0, 0.0, x0 + x1 - 1) if left_right else (1.0, 0.0, 0.0)
        along = (0.0, -1.0, y0 + y1 - 1) if top_bottom else (0.0, 1.0, 0.0)
        flip = np.array([across, along])
        object_there += cv2.warpAffine(visible_hw.astype(np.float32), flip, (width, height), flags=cv2.INTER_LINEAR)
        seen += cv2.warpAffine((~cover_hw).astype(np.float32), flip, (width, height), flags=cv2.INTER_LINEAR)
    return np.asarray(object_there / seen, np.float32)


def _filled(visible_hw: Mask, cover_hw: Mask, box: Box) -> Floats:
    """Share of the object among what is not covered of its box, the same everywhere."""
    open_hw = box_to_mask(box, *visible_hw.shape) & ~cover_hw
    share = np.count_nonzero(visible_hw) / max(1.0, float(np.count_nonzero(open_hw)))
    return np.full(visible_hw.shape, min(share, 1.0), np.float32)


def _unreached(visible_hw: Mask) -> Floats:
    """1 beyond the visible extent, where something of the object must be."""
    reached = box_of(visible_hw) or (0.0, 0.0, 0.0, 0.0)
    return (~box_to_mask(reached, *visible_hw.shape)).astype(np.float32)
