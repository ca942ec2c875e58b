"""Distance that grows where colours change: pixels behind an edge are far from what lies before it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled
from engine.records import Mask, Picture

Floats = NDArray[np.float32]

_PLAIN_STEP = 0.3
"""Lab distance that one step costs where nothing changes."""
_ROUNDS = 2
"""Rounds of four scans each; a way with more bends than they can follow is rare and only counts as longer."""


def distance_from(seeds_hw: Mask, image_hwc: Picture) -> Floats:
    """Cheapest way ``[H,W]`` from the seeds, each step at its Lab difference (Toivanen 1996; Bai and Sapiro 2007)."""
    lab = cv2.GaussianBlur(cv2.cvtColor(image_hwc, cv2.COLOR_RGB2LAB).astype(np.float32), (0, 0), 0.7)
    right, down = np.zeros(lab.shape[:2], np.float32), np.zeros(lab.shape[:2], np.float32)
    right[:, :-1] = np.linalg.norm(lab[:, 1:] - lab[:, :-1], axis=2) + _PLAIN_STEP
    down[:-1] = np.linalg.norm(lab[1:] - lab[:-1], axis=2) + _PLAIN_STEP
    far = np.float32(sum(lab.shape[:2]) * 500)
    distance = np.where(seeds_hw, np.float32(0), far).astype(np.float32)
    for _ in range(_ROUNDS):
        _scan(distance, right, down)
        turned = (a[::-1, ::-1] for a in (distance, np.roll(right, 1, axis=1), np.roll(down, 1, axis=0)))
        distance = np.ascontiguousarray(_scan(*(np.ascontiguousarray(a) for a in turned))[::-1, ::-1])
    return distance


@compiled
def _scan(distance: Floats, right: Floats, down: Floats) -> Any:
    """Every row from above, first to the right and then to the left; changes ``distance`` in place."""
    height, width = distance.shape
    for y in range(height):
        for x in range(width):
            best = distance[y, x]
            if y > 0:
                best = min(best, distance[y - 1, x] + down[y - 1, x])
            if x > 0:
                best = min(best, distance[y, x - 1] + right[y, x - 1])
            distance[y, x] = best
        for x in range(width - 2, -1, -1):
            distance[y, x] = min(distance[y, x], distance[y, x + 1] + right[y, x])
    return distance
