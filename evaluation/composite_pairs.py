"""Composites as pairs whose truth is exact: for ladders, demonstrations and tests."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.composites.generator import Composite
from engine.imaging import flatten
from engine.records import LayerKind
from evaluation.metrics.pairs import LayerPair


def pairs_of(made: Composite) -> list[LayerPair]:
    """One pair per layer and one for the background; the prediction is the truth itself.

    A layer's own background is all that lies behind it, flattened. The background counts as visible where it gives
    more than half of the picture's value.
    """
    height, width = made.source_hwc.shape[:2]
    opaque = np.dstack([made.background_hwc, np.full((height, width), 255, np.uint8)])
    layers = [true.layer.rgba_hwc for true in made.layers]
    pairs = []
    for at, true in enumerate(made.layers):
        pairs.append(
            LayerPair(
                name=f"{made.seed:05d}-{at}",
                truth_hwc=layers[at],
                predicted_hwc=layers[at],
                visible_hw=true.layer.visible_hw,
                background_hwc=flatten([*layers[at + 1 :], opaque]),
                photo=str(made.seed),
                facts={"kind": LayerKind.FOREGROUND.value, "category": true.label, "prompt": "box"},
            )
        )
    through = np.prod([1 - rgba[..., 3] / 255 for rgba in layers], axis=0)
    background = LayerPair(
        name=f"{made.seed:05d}-background",
        truth_hwc=opaque,
        predicted_hwc=opaque,
        visible_hw=through > 0.5,
        background_hwc=made.background_hwc,
        photo=str(made.seed),
        facts={"kind": LayerKind.BACKGROUND.value, "prompt": "background"},
    )
    return [*pairs, background]


def all_pairs(composites: Iterable[Composite]) -> list[LayerPair]:
    return [pair for made in composites for pair in pairs_of(made)]
