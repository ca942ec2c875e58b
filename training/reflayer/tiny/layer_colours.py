"""From alpha and visible share to a finished layer: source pixels copied, hidden ones filled, edges cleaned.

Everything the network believes to be seen is copied from the source. Only where something else is in front with
confidence are colours invented: Telea's fast marching (2004) grown from the object's own solid part, which measured
better here than a pull-push pyramid or patches; the same colours lie under alpha 0 and replace the other half of a
mixed edge. What is behind removed objects is filled with patches of the picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of
from engine.records import Mask, Picture, RGBALayer
from engine.stages.completion import patch_fill

Floats = NDArray[np.float32]

COVERED_BELOW = 0.5
"""A pixel of the object is covered when less than this share of it shows."""
NOTHING, EVERYTHING = 0.02, 0.98
_COPY_SHARE = (0.25, 0.55)
"""Share that shows from which the copied source fades in, and from which it is alone: low, for a wrongly filled
visible pixel is a worse fault than a wrongly copied hidden one."""
_COPY_ALPHA = (0.02, 0.3)
"""The same for alpha: what is hardly the object's has the other half of a mixed edge in it."""
_SOLID = 0.5
"""Alpha from which a pixel's colour is carried on; a stricter choice knows less of the object and measured worse."""
_HOLE_FROM = 0.1
_HOLE_MARGIN_SHARE = 0.012
_LEAST_HOLE_MARGIN_PX = 2
_BACKGROUND_PX = 256
"""The background is searched for patches at this size; the picture's own pixels are then taken from there."""
_GROW_PX = 192
"""Colours are grown at this size: they are smooth, and time goes with the area."""
_GROW_RADIUS_PX = 5
_GROW_MARGIN_PX = 4


def covered(alpha_hw: Floats, shows_hw: Floats) -> Mask:
    """Where something stands in front of the object."""
    return np.asarray((alpha_hw > 0.25) & (shows_hw < COVERED_BELOW * alpha_hw), bool)


def _ramp(values_hw: Floats, low: float, high: float) -> Floats:
    return np.clip((values_hw - low) / (high - low), 0, 1).astype(np.float32)


def layer_of(source_hwc: Picture, alpha_hw: Floats, shows_hw: Floats) -> RGBALayer:
    """The layer of an object, straight alpha; ``alpha`` and ``shows`` 0..1 of the source's size."""
    hidden = covered(alpha_hw, shows_hw)
    share = np.asarray(shows_hw / np.maximum(alpha_hw, 0.02), np.float32)
    solid = (alpha_hw > _SOLID) & ~hidden
    # The outermost pixels have the colour of what is beside them mixed in.
    inner = cv2.erode(solid.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    known = next((mask for mask in (inner, solid, alpha_hw > 0.1) if mask.any()), solid)
    filled = grown(source_hwc, known, alpha_hw > 0)
    copied = _ramp(share, *_COPY_SHARE) * _ramp(alpha_hw, *_COPY_ALPHA)
    rgb = filled + (source_hwc - filled) * copied[..., None]
    alpha = np.where(alpha_hw < NOTHING, 0, np.where(alpha_hw > EVERYTHING, 1, alpha_hw))
    rgba = np.dstack([np.rint(rgb), np.rint(alpha * 255)]).astype(np.uint8)
    return RGBALayer(rgba, np.asarray((alpha > 0.5) & ~hidden, bool))


def grown(source_hwc: Picture, known_hw: Mask, wanted_hw: Mask) -> Floats:
    """The known pixels' colours carried on over the picture, ``[H,W,3]`` float: exact there, smooth elsewhere.

    Grown where ``wanted`` and around it; the rest gets the nearest of these colours.
    """
    box = box_of(wanted_hw | known_hw)
    if box is None or not known_hw.any():
        return source_hwc.astype(np.float32)
    height, width = known_hw.shape
    x0, y0, x1, y1 = (int(side) for side in box)
    rows = slice(max(0, y0 - _GROW_MARGIN_PX), min(height, y1 + _GROW_MARGIN_PX))
    columns = slice(max(0, x0 - _GROW_MARGIN_PX), min(width, x1 + _GROW_MARGIN_PX))
    part, known = source_hwc[rows, columns], known_hw[rows, columns]
    scale = min(1.0, _GROW_PX / max(known.shape))
    size = (max(1, round(known.shape[1] * scale)), max(1, round(known.shape[0] * scale)))
    # Unknown pixels weigh nothing in the smaller picture, so no other object's colour gets in.
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    colour = cv2.resize(part * known[..., None].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = np.clip(np.rint(colour / np.maximum(weight, 1e-3)[..., None]), 0, 255).astype(np.uint8)
    hole = (weight < min(0.5, float(weight.max()))).astype(np.uint8)
    small = np.asarray(cv2.inpaint(small, hole, _GROW_RADIUS_PX, cv2.INPAINT_TELEA), np.uint8)
    back = cv2.resize(small, known.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    back[known] = part[known]
    before, after = (rows.start, height - rows.stop), (columns.start, width - columns.stop)
    return np.pad(back, (before, after, (0, 0)), mode="edge")


def background_of(source_hwc: Picture, objects_hw: Floats, seed: int = 0) -> RGBALayer:
    """The picture without its objects: ``objects`` is their alpha 0..1; opaque, the rest copied."""
    margin = max(_LEAST_HOLE_MARGIN_PX, round(_HOLE_MARGIN_SHARE * max(objects_hw.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    hole = cv2.dilate((objects_hw > _HOLE_FROM).astype(np.uint8), kernel).astype(bool)
    rgb = patch_fill.fill(source_hwc, hole, ~hole, seed, _BACKGROUND_PX)
    opaque = np.full((*hole.shape, 1), 255, np.uint8)
    return RGBALayer(np.dstack([rgb, opaque]), ~hole)
