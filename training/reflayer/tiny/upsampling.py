"""A core matte at the picture's size, its edges moved onto the picture's own (He, Sun and Tang 2010, guided filter)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.records import Picture

Floats = NDArray[np.float32]

_RADIUS = 1.5
"""Of a core pixel's size in the picture."""
_EPS = 65.0
"""A thousandth of 255 squared: OpenCV's colour filter gives up on smaller numbers, as those of a 0..1 guide."""
EDGE_GAIN = 2.0
"""The filter leaves a slope on both sides of an edge; of 1, 1.5, 2 and 2.5 this was best over hard and soft edges."""


def sharpened(matte_hw: Floats, gain: float, middle: float = 0.5) -> Floats:
    """The matte with its edge made steeper by ``gain``; ``middle`` becomes one half."""
    return np.clip((matte_hw - middle) * gain + 0.5, 0, 1).astype(np.float32)


def enlarged(matte_hw: Floats, guide_hwc: Picture) -> Floats:
    """``[h,w]`` 0..1 brought to the size of ``guide``, its edges on the guide's; unchanged where that is no larger."""
    height, width = guide_hwc.shape[:2]
    scale = max(height / matte_hw.shape[0], width / matte_hw.shape[1])
    if scale <= 1:
        same = matte_hw.shape == (height, width)
        return matte_hw if same else np.asarray(cv2.resize(matte_hw, (width, height)), np.float32)
    smooth = cv2.resize(matte_hw, (width, height), interpolation=cv2.INTER_LINEAR)
    radius = max(2, round(_RADIUS * scale))
    filtered = cv2.ximgproc.guidedFilter(guide_hwc.astype(np.float32), smooth, radius, _EPS)
    return sharpened(np.asarray(filtered, np.float32), EDGE_GAIN)
