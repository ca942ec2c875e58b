"""Whether a completed object may stand: each test names what failed."""

from __future__ import annotations

import cv2
import numpy as np

from engine.records import Mask


def shape_failure(visible_hw: Mask, amodal_hw: Mask, max_growth: float) -> str:
    """``grew_too_much`` or ``fell_apart``, or nothing."""
    if np.count_nonzero(amodal_hw) > max_growth * float(np.count_nonzero(visible_hw) or 1):
        return "grew_too_much"
    return "fell_apart" if pieces(amodal_hw) > pieces(visible_hw) else ""


def look_failure(
    leak: float = 0.0,
    similarity: float | None = None,
    label_gain: float | None = None,
    max_leak: float = 0.3,
    min_similarity: float = 0.5,
    max_label_loss: float = 0.05,
) -> str:
    """``occluder_repainted``, ``another_object`` or ``less_like_its_label``, or nothing; ``None`` was not measured.

    ``leak``: best score 0..1 of the occluder's label detected in the hidden part; ``similarity``: cosine between the
    features of the completed and of the visible object; ``label_gain``: agreement with the label after less before.
    """
    if leak > max_leak:
        return "occluder_repainted"
    if similarity is not None and similarity < min_similarity:
        return "another_object"
    return "less_like_its_label" if label_gain is not None and label_gain < -max_label_loss else ""


def pieces(mask_hw: Mask) -> int:
    """8-connected parts of at least a fiftieth of the mask."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask_hw.astype(np.uint8), connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    return int((areas >= 0.02 * max(1, int(areas.sum()))).sum())
