"""GrabCut's answer and its colour models as evidence for the mask network (Rother, Kolmogorov and Blake 2004)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.records import Box, Mask, Picture

Floats = NDArray[np.float32]

ITERATIONS = 3
WORKING_PX = 80
"""A larger window is cut at this size: time goes with the area."""
_MARGIN = 0.4
_LEAST_MARGIN_PX = 8
_COMPONENTS = 5
_FLAT_BELOW = 2.0
"""Standard deviation of a picture with no colour to cut by."""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What is known before the cut, masks ``[S,S]``; the rest is probable background.

    The cut is made in ``extent`` and a margin around it.
    """

    sure: Mask
    possible: Mask
    never: Mask
    extent: Box


def evidence(image_hwc: Picture, start: Start, seed: int) -> tuple[Floats, Floats]:
    """The cut as soft mask 0..1, and how much likelier a colour is the object's: log ratio, -1..1.

    Zeros where there is nothing to cut: no possible object, no background, or a plain picture.
    """
    side = image_hwc.shape[0]
    window = _window(start.extent, side)
    crop = image_hwc[window]
    scale = min(1.0, WORKING_PX / max(crop.shape[:2]))
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    sure, possible, never = (_smaller(mask[window], size) for mask in (start.sure, start.possible, start.never))
    labels = np.full(small.shape[:2], cv2.GC_PR_BGD, np.uint8)
    labels[possible] = cv2.GC_PR_FGD
    labels[never & ~sure] = cv2.GC_BGD
    labels[sure] = cv2.GC_FGD
    front = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if front.sum() < _COMPONENTS or (~front).sum() < _COMPONENTS or small.std(axis=(0, 1)).max() < _FLAT_BELOW:
        nothing = np.zeros((side, side), np.float32)
        return nothing, nothing
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    behind_model, front_model = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, *size)
    cv2.grabCut(
        np.ascontiguousarray(small[..., ::-1]),
        labels,
        whole,
        behind_model,
        front_model,
        ITERATIONS,
        cv2.GC_INIT_WITH_MASK,
    )
    cut = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    pixels = image_hwc[..., ::-1].reshape(-1, 3).astype(np.float32)
    ratio = _log_likelihood(pixels, front_model[0]) - _log_likelihood(pixels, behind_model[0])
    out = np.zeros((side, side), np.float32)
    out[window] = cv2.resize(cut, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return out, np.clip(ratio / 8, -1, 1).reshape(side, side).astype(np.float32)


def _window(extent: Box, side: int) -> tuple[slice, slice]:
    x0, y0, x1, y1 = extent
    margin = max(_LEAST_MARGIN_PX, _MARGIN * max(x1 - x0, y1 - y0))
    rows = slice(int(np.clip(y0 - margin, 0, side - 1)), int(np.clip(y1 + margin, 1, side)))
    return rows, slice(int(np.clip(x0 - margin, 0, side - 1)), int(np.clip(x1 + margin, 1, side)))


def _smaller(mask_hw: Mask, size: tuple[int, int]) -> Mask:
    return np.asarray(cv2.resize(mask_hw.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.49, bool)


def _log_likelihood(pixels: Floats, model: NDArray[np.float64]) -> Floats:
    """Of colours ``[N,3]`` under the likeliest part of OpenCV's mixture: five weights, means and covariances."""
    weights, means = model[:5], model[5:20].reshape(5, 3)
    covariances = model[20:].reshape(5, 3, 3) + 4.0 * np.eye(3)
    best = np.full(len(pixels), -1e9, np.float32)
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        if weight <= 0:
            continue
        inverse_root = np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float32)
        from_mean = (pixels - mean.astype(np.float32)) @ inverse_root.T
        distance = np.einsum("ij,ij->i", from_mean, from_mean)
        np.maximum(best, np.float32(np.log(weight) - 0.5 * np.linalg.slogdet(covariance)[1]) - 0.5 * distance, out=best)
    return best
