"""Pictures as feature networks want them: square, nothing cut off, on neutral grey."""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_of
from engine.records import Box, Mask, Picture, RGBALayer
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
    window = _window(box_of(layer.amodal_hw), margin)
    rgba = layer.rgba_hwc[window]
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    if only_hw is not None:
        alpha = alpha * only_hw[window][..., None]
    return np.rint(alpha * rgba[..., :3] + (1 - alpha) * NEUTRAL).astype(np.uint8)


def _window(box: Box | None, margin: float) -> tuple[slice, slice]:
    """Everything without a box."""
    if box is None:
        return np.s_[:, :]
    x0, y0, x1, y1 = (int(side) for side in box)
    room = round(margin * max(x1 - x0, y1 - y0)) + 1
    return slice(max(0, y0 - room), y1 + room), slice(max(0, x0 - room), x1 + room)
