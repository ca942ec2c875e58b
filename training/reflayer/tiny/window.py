"""Which part of a picture the core looks at: a square around the prompt, brought to the core's size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of
from engine.records import Box, Mask, Picture, Prompt, PromptKind

CORE_PX = 128
_OBJECT_SHARE = 0.45
"""Of the window's side: how much of it the prompt's longer side takes, as in the scenes the network learned from."""


@dataclass(frozen=True, slots=True)
class Window:
    """A square of ``side`` pixels of the picture with its left top corner at ``x``, ``y``; it may reach beyond."""

    x: int
    y: int
    side: int

    def inside(self, width: int, height: int) -> tuple[slice, slice]:
        """Rows and columns of the picture that the window covers."""
        rows = slice(max(0, self.y), min(height, self.y + self.side))
        return rows, slice(max(0, self.x), min(width, self.x + self.side))

    def core_box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """``x0, y0, x1, y1`` in core pixels of what ``inside`` covers; at least one pixel each way."""
        rows, columns = self.inside(width, height)
        scale = CORE_PX / self.side
        x0, y0 = (min(CORE_PX - 1, round((s.start - o) * scale)) for s, o in ((columns, self.x), (rows, self.y)))
        x1, y1 = (round((s.stop - o) * scale) for s, o in ((columns, self.x), (rows, self.y)))
        return x0, y0, max(x0 + 1, x1), max(y0 + 1, y1)


def whole(width: int, height: int) -> Window:
    """All of the picture in the middle of a square."""
    side = max(width, height)
    return Window((width - side) // 2, (height - side) // 2, side)


def around(box: Box, width: int, height: int) -> Window:
    """A square around a box with room for what is hidden; never smaller than the core, inside the picture if it can."""
    side = round(max(box[2] - box[0], box[3] - box[1]) / _OBJECT_SHARE)
    side = min(max(side, CORE_PX), max(width, height))

    def corner(low: float, high: float, length: int) -> int:
        wanted = round((low + high) / 2 - side / 2)
        return min(max(wanted, 0), length - side) if side <= length else (length - side) // 2

    return Window(corner(box[0], box[2], width), corner(box[1], box[3], height), side)


def window_for(prompt: Prompt, width: int, height: int) -> Window:
    """Around a box or a mask; the whole picture for points, which tell no size, and for the background."""
    if prompt.kind is PromptKind.BACKGROUND:
        return whole(width, height)
    box = prompt.box if prompt.box is not None else None
    if box is None and prompt.mask_hw is not None:
        box = box_of(prompt.mask_hw)
    return whole(width, height) if box is None else around(box, width, height)


def core_picture(image_hwc: Picture, window: Window) -> Picture:
    """``[CORE_PX,CORE_PX,3]``: the window scaled to the core, its edge pixels repeated where it leaves the picture."""
    height, width = image_hwc.shape[:2]
    x0, y0, x1, y1 = window.core_box(width, height)
    part = image_hwc[window.inside(width, height)]
    smoothing = cv2.INTER_AREA if window.side > CORE_PX else cv2.INTER_LINEAR
    small = (
        part if part.shape[:2] == (y1 - y0, x1 - x0) else cv2.resize(part, (x1 - x0, y1 - y0), interpolation=smoothing)
    )
    rows = np.clip(np.arange(CORE_PX) - y0, 0, y1 - y0 - 1)
    columns = np.clip(np.arange(CORE_PX) - x0, 0, x1 - x0 - 1)
    return np.ascontiguousarray(small[rows[:, None], columns[None, :]])


def _core_mask(mask_hw: Mask, window: Window) -> Mask:
    height, width = mask_hw.shape
    x0, y0, x1, y1 = window.core_box(width, height)
    part = mask_hw[window.inside(width, height)].astype(np.float32)
    out = np.zeros((CORE_PX, CORE_PX), bool)
    small = cv2.resize(part, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    # A mask so thin that nothing of it is half a core pixel wide still says where the object is.
    out[y0:y1, x0:x1] = small > min(0.5, 0.5 * float(small.max()))
    return out


def core_prompt(prompt: Prompt, window: Window) -> Prompt:
    """The prompt in pixels of the core."""
    scale = CORE_PX / window.side

    def moved(x: float, y: float) -> tuple[float, float]:
        return (x - window.x) * scale, (y - window.y) * scale

    box = None if prompt.box is None else (*moved(*prompt.box[:2]), *moved(*prompt.box[2:]))
    if box is not None:
        # A box thinner than a core pixel is grown to two.
        thin = [max(0.0, 2 - (high - low)) / 2 for low, high in ((box[0], box[2]), (box[1], box[3]))]
        box = (box[0] - thin[0], box[1] - thin[1], box[2] + thin[0], box[3] + thin[1])
    mask = None if prompt.mask_hw is None else _core_mask(prompt.mask_hw, window)
    return replace(prompt, points=tuple(moved(x, y) for x, y in prompt.points), box=box, mask_hw=mask)


def from_core(map_hw: NDArray[np.float32], window: Window, width: int, height: int) -> NDArray[np.float32]:
    """What a core map says about ``window.inside``, smoothly scaled to the size of that part of the picture."""
    x0, y0, x1, y1 = window.core_box(width, height)
    rows, columns = window.inside(width, height)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    part = np.ascontiguousarray(map_hw[y0:y1, x0:x1])
    return (
        part
        if part.shape[1::-1] == size
        else np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR), np.float32)
    )
