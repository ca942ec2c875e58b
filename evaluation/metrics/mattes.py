"""How far two mattes are apart: Rhemann et al. (2009, "A Perceptually Motivated Online Benchmark for Image Matting").

Mattes are ``[H,W]`` float, 0..1; ``where_hw`` (bool) is the part that counts. SAD, gradient and connectivity are sums
divided by 1000, as benchmarks print them, so they grow with the picture; MSE is a mean.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.records import Mask

Matte = NDArray[np.floating]

SIGMA = 1.4
CUT_OFF = 1e-2
"""The filter reaches as far as the Gaussian's density is above this."""
STEP = 0.1
TOLERATED = 0.15
"""Connectivity passes over differences below this."""
ROUNDING = 1e-9
"""Six tenths, as the sixth of the steps, are not the float 0.6: a pixel at a threshold must reach it."""
BAND_PX = 10


def unknown_band(truth_hw: Matte, reach_px: int = BAND_PX) -> Mask:
    """Soft pixels of the truth and its contour at one half, and what lies within ``reach_px`` of them."""
    solid = (truth_hw > 0.5).astype(np.uint8)
    soft = (truth_hw > 0) & (truth_hw < 1)
    edge = cv2.morphologyEx(solid, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach_px + 1, 2 * reach_px + 1))
    return np.asarray(cv2.dilate((soft | edge).astype(np.uint8), disc) > 0)


def sad(truth_hw: Matte, predicted_hw: Matte, where_hw: Mask) -> float:
    """Sum of absolute differences, in thousands of pixels."""
    return float(np.abs(predicted_hw - truth_hw)[where_hw].sum(dtype=float)) / 1000


def mse(truth_hw: Matte, predicted_hw: Matte, where_hw: Mask) -> float:
    """Mean squared difference. Raises ``ValueError`` where nothing counts."""
    if not where_hw.any():
        raise ValueError("nothing to average over")
    return float(np.square(predicted_hw - truth_hw)[where_hw].mean(dtype=float))


def gradient_error(truth_hw: Matte, predicted_hw: Matte, where_hw: Mask) -> float:
    """Sum of squared differences of the gradients' lengths, by Gaussian derivatives of sigma 1.4, in thousands."""
    difference = _gradient_length(predicted_hw) - _gradient_length(truth_hw)
    return float(np.square(difference)[where_hw].sum(dtype=float)) / 1000


def _gradient_length(matte_hw: Matte) -> NDArray[np.float64]:
    reach = math.ceil(SIGMA * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * SIGMA * CUT_OFF)))
    x = np.arange(-reach, reach + 1, dtype=float)
    smooth = np.exp(-(x**2) / (2 * SIGMA**2)) / (SIGMA * math.sqrt(2 * math.pi))
    slope = -x * smooth / SIGMA**2
    # The two-dimensional filter has length one; it is the product of these two.
    scale = 1 / (np.linalg.norm(smooth) * np.linalg.norm(slope))
    matte = np.asarray(matte_hw, float)
    across = cv2.sepFilter2D(matte, cv2.CV_64F, slope * scale, smooth, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(matte, cv2.CV_64F, smooth, slope * scale, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.hypot(across, down))


def connectivity_error(truth_hw: Matte, predicted_hw: Matte, where_hw: Mask) -> float:
    """Sum of differences of how far each pixel is joined to the largest region both agree on, in thousands."""
    levels = np.arange(1, round(1 / STEP) + 1) * STEP
    joined_up_to = np.zeros(truth_hw.shape)
    still = np.ones(truth_hw.shape, bool)
    for before, level in zip(levels - STEP, levels, strict=True):
        both = (truth_hw >= level - ROUNDING) & (predicted_hw >= level - ROUNDING)
        lost = still & ~_largest_region(both)
        joined_up_to[lost] = before
        still &= ~lost
    joined_up_to[still] = 1
    degrees = []
    for matte in (truth_hw, predicted_hw):
        above = matte - joined_up_to
        degrees.append(1 - above * (above >= TOLERATED - ROUNDING))
    return float(np.abs(degrees[1] - degrees[0])[where_hw].sum(dtype=float)) / 1000


def _largest_region(mask_hw: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask_hw.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros(mask_hw.shape, bool)
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))


def soft_iou(truth_hw: Matte, predicted_hw: Matte, where_hw: Mask) -> float:
    """Sum of minima over sum of maxima (Ruzicka); two empty mattes agree fully."""
    union = np.maximum(truth_hw, predicted_hw)[where_hw].sum(dtype=float)
    return float(np.minimum(truth_hw, predicted_hw)[where_hw].sum(dtype=float) / union) if union else 1.0
