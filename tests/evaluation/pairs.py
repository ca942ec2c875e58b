"""Small pairs with known faults."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine.composites.generator import compose
from engine.composites.photographs import Photographs
from evaluation.composite_pairs import all_pairs
from evaluation.metrics.pairs import LayerPair


@lru_cache(maxsize=1)
def photographs() -> Photographs:
    return Photographs.from_packages(128)


@lru_cache(maxsize=4)
def composite_pairs(count: int, size_px: int = 96, first: int = 500) -> tuple[LayerPair, ...]:
    """All pairs of some composites, predictions equal to the truths."""
    return tuple(all_pairs(compose(seed, size_px, photographs()) for seed in range(first, first + count)))


def square_pair(hidden_px: int = 16, side: int = 96, **changes: Any) -> LayerPair:
    """A textured, opaque 48 px square with a soft border, its right ``hidden_px`` columns hidden."""
    rng = np.random.default_rng(3)
    rgba = np.zeros((side, side, 4), np.uint8)
    rgba[..., :3] = rng.integers(60, 200, (side, side, 3))
    rgba[24:72, 24:72, 3] = 255
    rgba[24:72, 24, 3] = 128
    visible = rgba[..., 3] > 127
    visible[:, 72 - hidden_px :] = False
    background = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
    return replace(LayerPair("square", rgba, rgba.copy(), visible, background), **changes)


def predicting(pair: LayerPair, predicted_hwc: Any) -> LayerPair:
    return replace(pair, predicted_hwc=predicted_hwc)
