"""From the network's size back to the picture's: guided upsampling, unmixing, copied visible pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.records import Picture, RGBALayer
from training.reflayer.canvas_colour import unmix
from training.reflayer.tensors import resized
from training.reflayer.tiny.upsampling import enlarged

NOTHING, EVERYTHING = 0.02, 0.98
"""Alpha beyond these is meant as 0 and 1."""
COPY_FROM, COPY_TO = 0.5, 0.95
"""Between these confidences in "visible" the copy of the source fades in."""
Matte = NDArray[np.float32]


def finish(
    source_hwc: Picture,
    on_canvas_hwc: NDArray[np.float32],
    alpha_hw: Matte,
    visible_hw: Matte,
    canvas_colour: float | None,
    keep_visible: bool,
) -> RGBALayer:
    """The layer at the source's size.

    ``on_canvas`` is the decoded picture (0..1) and ``alpha``, ``visible`` the decoded mattes, all of the network's
    size; ``canvas_colour`` ``None`` says that the colours are already the layer's own. ``keep_visible`` copies the
    source where the layer is opaque and surely visible; measures are reported without it.
    """
    if canvas_colour is None:
        rgb = np.rint(np.clip(on_canvas_hwc, 0, 1) * 255).astype(np.uint8)
    else:
        rgb = unmix(on_canvas_hwc, alpha_hw, canvas_colour)
    height, width = source_hwc.shape[:2]
    rgb = resized(rgb, width, height)
    alpha, visible = enlarged(alpha_hw, source_hwc), enlarged(visible_hw, source_hwc)
    alpha = np.where(alpha < NOTHING, 0, np.where(alpha > EVERYTHING, 1, alpha))
    if keep_visible:
        sure = np.clip((visible - COPY_FROM) / (COPY_TO - COPY_FROM), 0, 1) * (alpha == 1)
        rgb = np.rint(rgb + (source_hwc.astype(np.float32) - rgb) * sure[..., None]).astype(np.uint8)
    rgba = np.dstack([rgb, np.rint(alpha * 255).astype(np.uint8)])
    return RGBALayer(rgba, (visible > 0.5) & (alpha > 0.5))
