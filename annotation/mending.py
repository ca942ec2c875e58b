"""The marks of a person who knows the true layer: what is seen of it as the mask, strokes where the old is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.imaging import mask_to_rle
from engine.records import Mask, RGBALayer
from engine.repair.marks import MOST_STROKES, Tool

LEAST_VISIBLE_PX = 40
"""Of a thing of which less shows nobody could say what it is."""


def true_marks(true: RGBALayer, old_amodal_hw: Mask) -> dict[str, Any] | None:
    """For ``engine.services.repairs.submit_repair``; ``None`` where too little shows.

    Painted is what is hidden, erased what the old layer has too much; of more strokes than a repair has, the longest.
    """
    if np.count_nonzero(true.visible_hw) < LEAST_VISIBLE_PX:
        return None
    strokes = [
        *_strokes(Tool.ERASE, old_amodal_hw & ~true.amodal_hw),
        *_strokes(Tool.PAINT, true.amodal_hw & ~true.visible_hw),
    ]
    longest = sorted(strokes, key=lambda stroke: stroke["points"][0][0] - stroke["points"][1][0])
    return {"mask": mask_to_rle(true.visible_hw), "strokes": longest[:MOST_STROKES]}


def _strokes(tool: Tool, mask_hw: Mask) -> list[dict[str, Any]]:
    """One stroke, a pixel wide, along every run of a row."""
    edges = np.diff(np.pad(mask_hw.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    (rows, starts), (_, ends) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    return [
        {"tool": tool.value, "points": [[x0 + 0.5, y + 0.5], [x1 - 0.5, y + 0.5]], "width_px": 1.0, "hardness": 1.0}
        for y, x0, x1 in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]
