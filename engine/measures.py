"""Plain numbers of one finished layer, shown to people and stored with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.imaging import box_of
from engine.records import Box, RGBALayer


@dataclass(frozen=True, slots=True)
class Measures:
    box: Box
    """Of alpha above 0; all zeros for an empty layer."""
    area_share: float
    """Amodal pixels over all pixels, 0..1."""
    hidden_share: float
    """Hidden pixels over amodal pixels, 0..1."""
    soft_share: float
    """Pixels with alpha strictly between 0 and 1 over those above 0, 0..1."""


def measure(layer: RGBALayer) -> Measures:
    alpha, amodal = layer.rgba_hwc[..., 3], layer.amodal_hw
    touched, solid = int(np.count_nonzero(alpha)), int(np.count_nonzero(amodal))
    return Measures(
        box=box_of(alpha > 0) or (0.0, 0.0, 0.0, 0.0),
        area_share=solid / amodal.size,
        hidden_share=float(np.count_nonzero(amodal & ~layer.visible_hw)) / max(1, solid),
        soft_share=float(np.count_nonzero((alpha > 0) & (alpha < 255))) / max(1, touched),
    )
