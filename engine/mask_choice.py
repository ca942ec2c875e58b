"""Which of a segmenter's three masks is the object of the box."""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_to_mask, iou
from engine.records import Box, Mask
from engine.stages.roles import Masks

_OUTSIDE_FREE = 0.1
"""Share of a mask that may lie outside its box without penalty: boxes are drawn a little tight."""


def choose(masks: Masks, box: Box | None = None, seen_hw: Mask | None = None) -> Mask | None:
    """The mask with the best worth; ``None`` when all are empty. The first of equals.

    Worth is the IoU the segmenter expects, plus agreement with the detector's own mask ``seen_hw`` if it has one,
    less the share outside the box beyond a tenth, less a little for every piece beyond the first.
    """
    worths = [_worth(mask, float(q), box, seen_hw) for mask, q in zip(masks.masks_nhw, masks.quality, strict=True)]
    best = int(np.argmax(worths)) if worths else 0
    return masks.masks_nhw[best] if worths and np.isfinite(worths[best]) else None


def _worth(mask_hw: Mask, quality: float, box: Box | None, seen_hw: Mask | None) -> float:
    size = np.count_nonzero(mask_hw)
    if not size:
        return -np.inf
    worth = quality
    if seen_hw is not None:
        worth += iou(mask_hw, seen_hw)
    if box is not None:
        outside = np.count_nonzero(mask_hw & ~box_to_mask(box, *mask_hw.shape)) / size
        worth -= max(0.0, outside - _OUTSIDE_FREE)
    pieces = cv2.connectedComponents(mask_hw.astype(np.uint8), connectivity=8)[0] - 1
    return worth - 0.05 * min(pieces - 1, 6)
