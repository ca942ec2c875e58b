"""Square crops that may reach past the picture: networks want one size, objects lie at borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of
from engine.records import Mask

NEUTRAL = 128
"""Grey that says nothing: what a generator sees where it should see no object."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A square of ``side`` pixels whose top left corner (``x0``, ``y0``) may lie outside the picture."""

    x0: int
    y0: int
    side: int

    @classmethod
    def around(cls, mask_hw: Mask, margin: float, least_px: int) -> Crop:
        """Around the true pixels, with ``margin`` of the longer side to each side. Raises ``ValueError`` if none."""
        box = box_of(mask_hw)
        if box is None:
            raise ValueError("nothing to crop around")
        x0, y0, x1, y1 = box
        side = max(least_px, round((1 + 2 * margin) * max(x1 - x0, y1 - y0)))
        return cls(round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2), side)

    def cut(self, array: NDArray[Any], outside: int | None = None) -> NDArray[Any]:
        """The square; past the picture it is ``outside``, or the picture reflected when that is ``None``."""
        height, width = array.shape[:2]
        rows, cols = self.y0 + np.arange(self.side), self.x0 + np.arange(self.side)
        out: NDArray[Any] = array[_reflected(rows, height)][:, _reflected(cols, width)].copy()
        if outside is not None:
            inside = ((rows >= 0) & (rows < height))[:, None] & ((cols >= 0) & (cols < width))[None]
            out[~inside] = outside
        return out

    def put(self, square: NDArray[Any], onto: NDArray[Any]) -> NDArray[Any]:
        """A copy of ``onto`` with what of the square lies inside it."""
        height, width = onto.shape[:2]
        y0, x0 = max(0, self.y0), max(0, self.x0)
        y1, x1 = min(height, self.y0 + self.side), min(width, self.x0 + self.side)
        out = onto.copy()
        if y1 > y0 and x1 > x0:
            out[y0:y1, x0:x1] = square[y0 - self.y0 : y1 - self.y0, x0 - self.x0 : x1 - self.x0]
        return out


def _reflected(index: NDArray[np.int_], size: int) -> NDArray[np.int_]:
    """Indices outside 0..size-1 folded back, the border pixel repeated once."""
    folded = np.mod(index, 2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)
