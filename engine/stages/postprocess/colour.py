"""Clean colours for straight alpha: extended under alpha 0, exact where the source is seen."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.records import Mask, Picture

_EMPTY = 1e-4


def extend(picture_hwc: Picture, known_hw: Mask) -> Picture:
    """Smooth colours from the known pixels into all others; known pixels stay exactly as they are.

    Push-pull over a Gaussian pyramid (Gortler et al. 1996, *The Lumigraph*): resampling a layer then meets the
    object's own colour outside its edge instead of black. Mid grey everywhere when nothing is known.
    """
    if not known_hw.any():
        return np.full_like(picture_hwc, 128)
    if known_hw.all():
        return picture_hwc.copy()
    weight = known_hw.astype(np.float32)
    levels: list[tuple[NDArray[Any], NDArray[Any]]] = [(picture_hwc.astype(np.float32) * weight[..., None], weight)]
    while levels[-1][1].min() <= _EMPTY and max(levels[-1][1].shape) > 1:
        colour, weight = levels[-1]
        levels.append((cv2.pyrDown(colour), cv2.pyrDown(weight)))
    out = _divide(*levels[-1])
    for colour, weight in reversed(levels[1:-1]):
        share = np.clip(weight, 0.0, 1.0)[..., None]
        out = _divide(colour, weight) * share + _enlarged(out, weight) * (1.0 - share)
    result = np.clip(np.rint(_enlarged(out, known_hw)), 0, 255).astype(np.uint8)
    result[known_hw] = picture_hwc[known_hw]
    return result


def _enlarged(colour_hwc: NDArray[Any], to_hw: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(cv2.resize(colour_hwc, to_hw.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _divide(colour_hwc: NDArray[Any], weight_hw: NDArray[Any]) -> NDArray[Any]:
    return colour_hwc / np.maximum(weight_hw, _EMPTY)[..., None]
