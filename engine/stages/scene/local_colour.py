"""Where in the picture a colour lies: the grey of the road is not the grey of the elephant beside it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from engine.records import Picture

Floats = NDArray[np.float32]

CELLS = 16
"""Of the picture's longer side."""
_COLOURS = 8
"""Per Lab axis."""


def cells(image_hwc: Picture) -> NDArray[np.intp]:
    """Index ``[H,W]`` of each pixel's cell of place and colour (a bilateral grid, Chen, Paris and Durand 2007)."""
    height, width = image_hwc.shape[:2]
    side = max(height, width) / CELLS
    rows, cols = (np.arange(count) / side for count in (height, width))
    lab = cv2.cvtColor(image_hwc, cv2.COLOR_RGB2LAB).astype(np.int32)
    lightness = lab[..., 0] // 32
    a, b = (np.clip((lab[..., c] - 128) // 16 + _COLOURS // 2, 0, _COLOURS - 1) for c in (1, 2))
    place = rows.astype(np.intp)[:, None] * CELLS + cols.astype(np.intp)
    return np.asarray(((place * _COLOURS + lightness) * _COLOURS + a) * _COLOURS + b, np.intp)


def ratio(cells_hw: NDArray[np.intp], inner_hw: Floats, outer_hw: Floats, reach: float) -> Floats:
    """Log-ratio ``[H,W]`` of how much of either weighting has a pixel's colour within about ``reach`` cells of it."""
    inner, outer = (_counts(cells_hw, weights, reach) for weights in (inner_hw, outer_hw))
    least = 1e-3 * float(inner.max() + outer.max()) + 1e-9
    return np.asarray(np.log((inner + least) / (outer + least))[cells_hw], np.float32)


def _counts(cells_hw: NDArray[np.intp], weights_hw: Floats, reach: float) -> NDArray[np.float32]:
    shape = (CELLS, CELLS, _COLOURS, _COLOURS, _COLOURS)
    counts = np.bincount(cells_hw.ravel(), weights_hw.ravel(), minlength=int(np.prod(shape)))
    sigmas = (reach, reach, 0.7, 0.7, 0.7)
    return gaussian_filter(counts.reshape(shape).astype(np.float32), sigmas, mode="constant", truncate=2.5).ravel()
