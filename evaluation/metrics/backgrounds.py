"""The stated backgrounds on which layers are laid before whole pictures are compared."""

from __future__ import annotations

import numpy as np

from engine.imaging import composite
from engine.records import Picture
from evaluation.metrics.pairs import LayerPair

GREY = 128
CHECKER = (102, 153)
CHECKER_PX = 8
OWN, PLAIN, CHECKED = "own", "grey", "checker"
BACKGROUNDS = (PLAIN, CHECKED, OWN)
"""Mid grey, a grey chequerboard of 8 px, and what truly lies behind the layer."""
MAIN = PLAIN


def background_of(pair: LayerPair, name: str) -> Picture | None:
    """``[H,W,3]`` uint8 under the pair's layers; ``None`` for ``own`` where the truth does not know it."""
    height, width = pair.visible_hw.shape
    if name == OWN:
        return pair.background_hwc
    if name == PLAIN:
        return np.full((height, width, 3), GREY, np.uint8)
    if name == CHECKED:
        odd = (np.arange(height)[:, None] // CHECKER_PX + np.arange(width)[None, :] // CHECKER_PX) % 2
        return np.repeat(np.asarray(CHECKER, np.uint8)[odd][..., None], 3, axis=2)
    raise ValueError(f"backgrounds are {', '.join(BACKGROUNDS)}; got {name!r}")


def composites(pair: LayerPair, name: str) -> tuple[Picture, Picture] | None:
    """Truth and prediction on one background, rounded (never truncated) to 8 bits; ``None`` where there is none."""
    below = background_of(pair, name)
    if below is None:
        return None
    return composite(pair.truth_hwc, below), composite(pair.predicted_hwc, below)
