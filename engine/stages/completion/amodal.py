"""The pure steps of amodal completion around a generator: where, from what context, which candidate, how pasted.

After the training-free recipe of Ao et al. 2025 (*Open-World Amodal Appearance Completion*): occluders taken
together, neutral context, segmentation of what was painted. Visible pixels are always the source's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of, box_to_mask, iou
from engine.records import Instance, Mask, Picture, Point, Scene
from engine.stages.completion.crop import NEUTRAL
from engine.stages.completion.hidden_region import cover_of

Floats = NDArray[np.float32]

_TOUCH_PX = 4
_RIM_PX = 16
_GAIN = (0.7, 1.4)
"""Contrast is matched within these bounds: a rim of a few pixels must not blow up what was painted."""


def candidate_region(scene: Scene, instance: Instance, reach: float) -> Mask:
    """Where the hidden part may lie: under visible pixels of what is in front, within ``reach`` box sides.

    Never pixels of things behind or of the background, which alone stops most objects from growing. Empty when
    nothing in front comes near.
    """
    visible = instance.visible_hw
    cover = cover_of(scene, instance)
    box = box_of(visible)
    near = cv2.dilate(visible.astype(np.uint8), np.ones((2 * _TOUCH_PX + 1,) * 2, np.uint8)).astype(bool)
    if box is None or not (near & cover).any():
        return np.zeros(visible.shape, bool)
    x0, y0, x1, y1 = box
    dx, dy = reach * (x1 - x0), reach * (y1 - y0)
    window = box_to_mask((x0 - dx, y0 - dy, x1 + dx, y1 + dy), *visible.shape)
    return np.asarray(cover & (window | box_to_mask(instance.box, *visible.shape)), bool)


def clean_context(picture_hwc: Picture, visible_hw: Mask, region_hw: Mask) -> Picture:
    """The visible object on neutral grey: an occluder or a neighbour left in view would be painted again."""
    out = np.full_like(picture_hwc, NEUTRAL)
    out[visible_hw] = picture_hwc[visible_hw]
    out[region_hw] = NEUTRAL
    return out


def grown(mask_hw: Mask, share: float) -> Mask:
    """Dilated by a share of the crop's side: edge pixels are mixed, and shadows lie just outside."""
    px = max(1, round(share * max(mask_hw.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return np.asarray(cv2.dilate(mask_hw.astype(np.uint8), kernel), bool)


def interior_points(mask_hw: Mask, count: int = 4) -> tuple[Point, ...]:
    """Pixel centres deep inside, apart from each other: the deepest, then the deepest outside its circle, and so on."""
    depth = cv2.distanceTransform(np.pad(mask_hw.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    points: list[Point] = []
    while len(points) < count and depth.max() > 0:
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        points.append((float(x) + 0.5, float(y) + 0.5))
        radius = max(2, round(float(depth[y, x])))
        cv2.circle(depth, (int(x), int(y)), radius, 0.0, cv2.FILLED)
    return tuple(points)


def amodal_mask(
    painted_hw: Mask | None, visible_hw: Mask, region_hw: Mask, hole_hw: Mask, agreement: float = 0.9
) -> Mask | None:
    """Visible part and what of the segmented, painted object lies in the region.

    ``None`` when the segmentation is not of this object: outside the hole, where nothing was painted, it must agree
    with the visible mask by IoU.
    """
    if painted_hw is None:
        return None
    known = ~hole_hw
    if iou(painted_hw & known, visible_hw & known) < agreement:
        return None
    return np.asarray(visible_hw | (painted_hw & region_hw), bool)


def nearest_to_mean(masks: Sequence[Mask]) -> list[int]:
    """Indices of the masks, that nearest to what most of them say first."""
    if not masks:
        return []
    mean = np.mean(masks, axis=0, dtype=np.float32)
    distance = [float(np.abs(mean - mask).mean()) for mask in masks]
    return sorted(range(len(masks)), key=lambda k: (distance[k], k))


def paste(
    source_hwc: Picture, painted_hwc: Picture, visible_hw: Mask, hidden_hw: Mask, feather_px: float = 3.0
) -> Picture:
    """The source with the painted colours in the hidden part only, matched to the object and blended inside it.

    Along the border to the visible part the painted colours start at the object's own and reach full strength after
    ``feather_px``.
    """
    out = source_hwc.copy()
    box = box_of(hidden_hw)
    if box is None:
        return out
    x0, y0, x1, y1 = (int(side) for side in box)
    near = np.s_[max(0, y0 - _RIM_PX - 1) : y1 + _RIM_PX + 1, max(0, x0 - _RIM_PX - 1) : x1 + _RIM_PX + 1]
    out[near] = _pasted(source_hwc[near], painted_hwc[near], visible_hw[near], hidden_hw[near], feather_px)
    return out


def _pasted(source_hwc: Picture, painted_hwc: Picture, visible_hw: Mask, hidden_hw: Mask, feather_px: float) -> Picture:
    out = source_hwc.copy()
    matched = match_colours(painted_hwc, source_hwc, visible_hw, hidden_hw).astype(np.float32)
    if visible_hw.any():
        distance, nearest = cv2.distanceTransformWithLabels(
            (~visible_hw).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        colours = np.zeros((int(nearest.max()) + 1, 3), np.float32)
        colours[nearest[visible_hw]] = source_hwc[visible_hw]
        share = np.clip(distance / max(feather_px, 1e-6), 0.0, 1.0)[..., None]
        matched = share * matched + (1 - share) * colours[nearest]
    out[hidden_hw] = np.clip(np.rint(matched[hidden_hw]), 0, 255).astype(np.uint8)
    return out


def match_colours(painted_hwc: Picture, source_hwc: Picture, visible_hw: Mask, hidden_hw: Mask) -> Picture:
    """Painted colours shifted and scaled in Lab so that both sides of the hidden part's rim are alike.

    Mean and deviation (Reinhard et al. 2001, *Color transfer between images*) of the painted pixels near the visible
    part against the visible ones near them; unchanged where there are too few.
    """
    kernel = np.ones((2 * _RIM_PX + 1,) * 2, np.uint8)
    near_visible = cv2.dilate(visible_hw.astype(np.uint8), kernel).astype(bool) & hidden_hw
    near_hidden = cv2.dilate(hidden_hw.astype(np.uint8), kernel).astype(bool) & visible_hw
    if np.count_nonzero(near_visible) < 16 or np.count_nonzero(near_hidden) < 16:
        return painted_hwc
    lab = cv2.cvtColor(painted_hwc, cv2.COLOR_RGB2LAB).astype(np.float32)
    theirs, ours = lab[near_visible], cv2.cvtColor(source_hwc, cv2.COLOR_RGB2LAB)[near_hidden].astype(np.float32)
    gain = np.clip(ours.std(axis=0) / np.maximum(theirs.std(axis=0), 1.0), *_GAIN)
    matched = (lab - theirs.mean(axis=0)) * gain + ours.mean(axis=0)
    return np.asarray(cv2.cvtColor(np.clip(np.rint(matched), 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB), np.uint8)
