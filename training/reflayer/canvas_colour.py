"""The target picture: a layer laid on one plain colour, and how to get the layer's own colours back.

The RGB latent must carry what is transparent (paper, section 7: both decoders read one latent), so transparent
pixels are a fixed colour, mid grey, and not the layer's extended colour, which would hide the matte.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.records import Picture
from engine.stages.postprocess.colour import extend

MID_GREY = 0.5
LEAST_ALPHA = 0.1
"""Below it division by alpha multiplies the network's error more than tenfold: colour is extended instead."""


def lay_on_canvas(rgb_b3hw: Tensor, alpha_b1hw: Tensor, colour: float = MID_GREY) -> Tensor:
    """``alpha * rgb + (1 - alpha) * colour``; ``rgb`` and the result in -1..1, ``colour`` in 0..1."""
    return alpha_b1hw * rgb_b3hw + (1 - alpha_b1hw) * (2 * colour - 1)


def unmix(picture_hwc: NDArray[np.float32], alpha_hw: NDArray[np.float32], colour: float = MID_GREY) -> Picture:
    """The layer's colours, uint8 ``[H, W, 3]``, of a picture (0..1) on the canvas colour.

    Exact where alpha is at least ``LEAST_ALPHA``; elsewhere extended from there.
    """
    known = alpha_hw >= LEAST_ALPHA
    alpha = np.maximum(alpha_hw, LEAST_ALPHA)[..., None]
    colours = np.clip((picture_hwc - (1 - alpha) * colour) / alpha, 0.0, 1.0)
    rgb = np.rint(colours * 255).astype(np.uint8)
    return rgb if known.all() else extend(rgb, known)


def to_unit(picture_b3hw: Tensor) -> Tensor:
    """-1..1 to 0..1, clipped."""
    return torch.clamp(picture_b3hw.float() / 2 + 0.5, 0.0, 1.0)
