"""Whose colour is it: contested pixels go to the object whose uncontested part they look like."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from engine.records import Mask, Picture

BINS = 16
"""Per Lab axis. Lightness steps are 16 wide, a and b steps 8 wide around grey, where nearly all colours lie."""
LEAST_OWN_PX = 60
"""With fewer uncontested pixels a mask is modelled by all it claims."""


def likeliest_owner(image_hwc: Picture, masks: Sequence[Mask], smooth_px: float = 2.0) -> NDArray[np.intp]:
    """Index ``[H,W]`` of the mask whose colours explain each contested pixel best; 0 where nothing is contested.

    Colours are smoothed Lab histograms of the uncontested pixels. Log-likelihoods are averaged over ``smooth_px``
    inside the contested region, so that neighbours decide together.
    """
    height, width = image_hwc.shape[:2]
    claims = np.zeros((height, width), np.int32)
    for mask in masks:
        claims += mask
    contested = claims > 1
    if not contested.any():
        return np.zeros((height, width), np.intp)
    bins = colour_bins(image_hwc)
    evidence = np.full((len(masks), height, width), -np.inf, np.float32)
    for k, mask in enumerate(masks):
        disputed = mask & contested
        if not disputed.any():
            continue
        own = mask & ~contested
        table = _log_histogram(bins[own if np.count_nonzero(own) > LEAST_OWN_PX else mask])
        likelihood = np.where(disputed, table[bins], 0.0).astype(np.float32)
        weight = cv2.GaussianBlur(disputed.astype(np.float32), (0, 0), smooth_px)
        evidence[k][disputed] = cv2.GaussianBlur(likelihood, (0, 0), smooth_px)[disputed] / weight[disputed]
    return evidence.argmax(axis=0)


def colour_bins(image_hwc: Picture) -> NDArray[np.intp]:
    """Index ``[H,W]`` of each pixel's Lab bin, 0 to ``BINS**3 - 1``."""
    lab = cv2.cvtColor(image_hwc, cv2.COLOR_RGB2LAB).astype(np.int32)
    lightness = lab[..., 0] // 16
    a, b = (np.clip((lab[..., c] - 128) // 8 + BINS // 2, 0, BINS - 1) for c in (1, 2))
    return np.asarray((lightness * BINS + a) * BINS + b, np.intp)


def _log_histogram(bins: NDArray[np.intp]) -> NDArray[np.float64]:
    """Log-probability per bin, blurred by 0.8 bins; the floor keeps one foreign pixel from deciding for others."""
    counts = np.bincount(bins, minlength=BINS**3).astype(np.float64).reshape(BINS, BINS, BINS)
    smooth = gaussian_filter(counts, 0.8, mode="constant").ravel()
    return np.log(smooth / max(1.0, smooth.sum()) + 1e-5)
