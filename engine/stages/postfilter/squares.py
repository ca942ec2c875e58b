"""Pictures as feature networks want them: square, nothing cut off, on neutral grey."""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_of
from engine.records import Mask, Picture, RGBALayer
from engine.stages.completion.crop import NEUTRAL


def to_square(picture_hwc: Picture, side_px: int) -> Picture:
    """Resized to fit and padded with grey, ``[side,side,3]``."""
    height, width = picture_hwc.shape[:2]
    scale = side_px / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    smoothing = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = np.asarray(cv2.resize(picture_hwc, size, interpolation=smoothing), np.uint8)
    out = np.full((side_px, side_px, 3), NEUTRAL, np.uint8)
    y, x = (side_px - size[1]) // 2, (side_px - size[0]) // 2
    out[y : y + size[1], x : x + size[0]] = small
    return out


def on_grey(layer: RGBALayer, only_hw: Mask | None = None, margin: float = 0.1) -> Picture:
    """The layer, or only some of its pixels, on grey; cut to the *whole* layer's box so that both views compare."""
    alpha = layer.alpha_hw if only_hw is None else layer.alpha_hw * only_hw
    mixed = alpha[..., None] * layer.rgba_hwc[..., :3] + (1 - alpha[..., None]) * NEUTRAL
    picture = np.rint(mixed).astype(np.uint8)
    box = box_of(layer.amodal_hw)
    if box is None:
        return picture
    x0, y0, x1, y1 = box
    room = round(margin * max(x1 - x0, y1 - y0)) + 1
    top, left = max(0, int(y0) - room), max(0, int(x0) - room)
    return np.ascontiguousarray(picture[top : int(y1) + room, left : int(x1) + room])
