"""The object's own colour out of a mixed pixel, where what lies behind it is known."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.records import Mask, Picture

Floats = NDArray[np.float32]

_NONE, _FULL = 0.1, 0.3
"""Below the first alpha unmixing divides noise by nearly nothing; above the second it is fully believed."""


def unmix(
    picture_hwc: Picture, alpha_hw: Floats, behind_hwc: Picture, estimate_hwc: Picture, trust_hw: Floats
) -> Picture:
    """Foreground colours: ``F = (I - (1 - a) B) / a``, faded into ``estimate_hwc`` where that cannot be believed.

    ``trust_hw`` 0..1 says how far ``behind_hwc`` is believed. Exact to one level where alpha is 0.3 or more, trust 1,
    and the mixture was made of these colours.
    """
    alpha = alpha_hw[..., None].astype(np.float32)
    solved = (picture_hwc - (1.0 - alpha) * behind_hwc) / np.maximum(alpha, 1e-3)
    share = np.clip((alpha - _NONE) / (_FULL - _NONE), 0.0, 1.0) * trust_hw[..., None]
    mixed = share * np.clip(solved, 0.0, 255.0) + (1.0 - share) * estimate_hwc
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def trust_in(known_hw: Mask, reach_px: float = 8.0) -> Floats:
    """Trust in a background ``[H,W]``: 1 where it is the source's own, falling to 0 at ``reach_px`` from there."""
    if not known_hw.any():
        return np.zeros(known_hw.shape, np.float32)
    distance = cv2.distanceTransform((~known_hw).astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip(1.0 - distance / max(reach_px, 1e-6), 0.0, 1.0).astype(np.float32)
