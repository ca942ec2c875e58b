"""What a box is worth without the engine: the baselines of the composite benchmark.

Each gives one hard mask per box, its alpha, and a background with Telea's fill under its masks.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_to_mask, clip_box
from engine.records import Box, Mask, Picture

FILL_RADIUS_PX = 5
DILATION_PX = 3
"""The fill takes colour from outside the mask, so the mask must cover an object's soft edge."""


def filled_box(image_hwc: Picture, box: Box) -> Mask:
    """Everything in the box, ``[H,W]`` bool."""
    return box_to_mask(box, *image_hwc.shape[:2])


def grabcut_alone(image_hwc: Picture, box: Box, seed: int = 0) -> Mask:
    """GrabCut (Rother, Kolmogorov and Blake 2004) as OpenCV's tutorial calls it: rectangle, five iterations, hard mask.

    A box without any outside (the whole picture) is its own answer, for there is no background to learn from.
    """
    height, width = image_hwc.shape[:2]
    inside = clip_box(box, width, height)
    if inside is None:
        return np.zeros((height, width), bool)
    x0, y0, x1, y1 = (round(side) for side in inside)
    if (x1 - x0) * (y1 - y0) >= width * height:
        return np.ones((height, width), bool)
    labels = np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    bgr = np.ascontiguousarray(image_hwc[..., ::-1])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(bgr, labels, (x0, y0, x1 - x0, y1 - y0), *models, 5, cv2.GC_INIT_WITH_RECT)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def telea_background(image_hwc: Picture, objects_hw: Mask) -> Picture:
    """The picture with the objects filled by Telea's fast marching (2004)."""
    size = 2 * DILATION_PX + 1
    hole = cv2.dilate(objects_hw.astype(np.uint8), np.ones((size, size), np.uint8))
    return np.asarray(cv2.inpaint(image_hwc, hole, FILL_RADIUS_PX, cv2.INPAINT_TELEA), np.uint8)
