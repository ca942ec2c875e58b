"""What the right verdict is where the true layer is known: pictures made by ``engine.composites``."""

from __future__ import annotations

import re

import numpy as np

from engine.composites.generator import Composite, compose
from engine.composites.held_out import seen_composite
from engine.imaging import encode_png, iou, sha256, union
from engine.records import Picture

NAME = re.compile(r"composite-(?P<px>\d+)-(?P<seed>\d+)(?P<seen>-seen)?\.png")
LEAST_IOU = 0.8
MOST_ALPHA_ERROR = 0.1
MOST_COLOUR_ERROR = 0.1


def composite_behind(name: str, digest: str) -> Composite | None:
    """The composite that a picture of this name and sha256 is, made again from its seed; ``None`` for others."""
    match = NAME.fullmatch(name)
    if match is None or int(match["px"]) < 32:
        return None
    make = seen_composite if match["seen"] else compose
    made = make(int(match["seed"]), int(match["px"]))
    return made if sha256(encode_png(made.source_hwc)) == digest else None


def is_right_object(rgba_hwc: Picture, made: Composite) -> bool:
    """Whether the layer is one whole object of the composite, hidden part included.

    Amodal IoU of at least 0.8 with the object it overlaps most, and a mean absolute alpha error of at most 0.1 where
    either has any alpha.
    """
    alpha = rgba_hwc[..., 3]
    true = max((true.layer for true in made.layers), key=lambda layer: iou(alpha > 127, layer.amodal_hw))
    either = (alpha > 0) | (true.rgba_hwc[..., 3] > 0)
    error = np.abs(alpha[either].astype(float) - true.rgba_hwc[..., 3][either]).mean() / 255 if either.any() else 1.0
    return iou(alpha > 127, true.amodal_hw) >= LEAST_IOU and bool(error <= MOST_ALPHA_ERROR)


def is_right_background(rgba_hwc: Picture, made: Composite) -> bool:
    """Whether what was filled in behind the objects is there: mean absolute colour error at most 0.1 (0..1)."""
    hole = union((true.layer.amodal_hw for true in made.layers), *made.source_hwc.shape[:2])
    error = np.abs(rgba_hwc[..., :3][hole].astype(float) - made.background_hwc[hole]).mean() / 255
    return bool(error <= MOST_COLOUR_ERROR)
