"""From a hard mask to object, background and the narrow band between them that matting must decide."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.records import Mask

Floats = NDArray[np.float32]


def signed_distance(mask_hw: Mask) -> Floats:
    """Pixels to the mask's edge, positive inside; the picture's border is no edge."""
    inside = cv2.distanceTransform(mask_hw.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask_hw).astype(np.uint8), cv2.DIST_L2, 5)
    return np.where(mask_hw, inside - 0.5, 0.5 - outside).astype(np.float32)


def band_half_width(mask_hw: Mask, share: float, low_px: float, high_px: float) -> float:
    """Half of the unknown band: ``share`` of the root of the area, within bounds."""
    return float(np.clip(share * np.sqrt(np.count_nonzero(mask_hw)), low_px, high_px))


def trimap(mask_hw: Mask, half_width_px: float) -> Floats:
    """0 background, 1 object, 0.5 unknown. The deepest pixel of a thin object is still called object."""
    distance = signed_distance(mask_hw)
    inner = min(half_width_px, 0.6 * float(distance.max()))
    out = np.full(mask_hw.shape, 0.5, np.float32)
    out[distance >= inner] = 1.0
    out[distance <= -half_width_px] = 0.0
    return out
