"""How much speaks for a pixel of a box being of the object that the box was drawn around.

Its colours are commoner in the box than around it, far and near (and, once there is a first answer, in the object than
in everything else); an edge lies between it and the outside of the box; it is near the middle; no other box claims it.
A logistic regression weighs these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from engine.imaging import box_to_mask
from engine.logit import Floats, Weights
from engine.records import Box, Mask, Picture
from engine.stages.scene import local_colour
from engine.stages.scene.geodesic import distance_from
from engine.stages.scene.ownership import BINS, colour_bins

FIRST: Weights = {
    "colour": 0.55,
    "colour_around": 0.61,
    "colour_near": 0.95,
    "colour_wide": -1.0,
    "apart": 0.83,
    "radius": -0.66,
    "rim": -4.41,
    "alone": 1.74,
    "bias": -3.61,
}
AGAIN: Weights = {
    "before": 0.18,
    "colour": 0.43,
    "colour_around": 0.3,
    "colour_near": 0.73,
    "colour_wide": -0.92,
    "share": 0.34,
    "bias": -0.46,
}
"""Log-odds per unit of evidence; ``evaluation.fit_engine`` made them and says from what."""
_NEAR_SHARE = 0.25
"""How fast the surroundings of a box lose weight with distance, in its longer sides."""
_NEAR_CELLS, _WIDE_CELLS = 1.5, 3.0
_AROUND_PX = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One box of a picture: ``possible`` ``[H,W]`` is where its object may be seen, in the box and nobody else's."""

    box: Box
    possible: Mask

    def on(self, window: tuple[slice, slice], size: tuple[int, int]) -> Claim:
        """The same claim on a crop resized to ``size`` (width, height)."""
        height, width = self.possible[window].shape
        across, along = size[0] / width, size[1] / height
        x0, y0, x1, y1 = self.box
        left, top = window[1].start, window[0].start
        box = ((x0 - left) * across, (y0 - top) * along, (x1 - left) * across, (y1 - top) * along)
        inside = box_to_mask(self.box, *self.possible.shape)[window]
        taken = (inside & ~self.possible[window]).astype(np.float32)
        is_taken = cv2.resize(taken, size, interpolation=cv2.INTER_AREA) > 0.5
        return Claim(box, box_to_mask(box, size[1], size[0]) & ~is_taken)


def first_look(image_hwc: Picture, claims: Sequence[Claim]) -> list[dict[str, Floats]]:
    """Evidence from the boxes alone, one map per kind and claim."""
    bins, cells = colour_bins(image_hwc), local_colour.cells(image_hwc)
    counts = np.sum([claim.possible for claim in claims], axis=0)
    looks = []
    for claim in claims:
        x0, y0, x1, y1 = claim.box
        height, width = claim.possible.shape
        across = 2 * (np.arange(width) + 0.5 - (x0 + x1) / 2) / max(1.0, x1 - x0)
        along = 2 * (np.arange(height) + 0.5 - (y0 + y1) / 2) / max(1.0, y1 - y0)
        possible = claim.possible.astype(np.float32)
        colour = _ratio(bins, possible, (1 - possible) * (nearness(claim) + 1e-4))
        apart = distance_from(~claim.possible, image_hwc) / np.sqrt(max(x1 - x0, y1 - y0))
        looks.append(
            {
                "colour": colour,
                "colour_around": _smoothed(colour),
                "colour_near": local_colour.ratio(cells, possible, 1 - possible, _NEAR_CELLS),
                "colour_wide": local_colour.ratio(cells, possible, 1 - possible, _WIDE_CELLS),
                "apart": np.log(apart + 0.1),
                "radius": np.add.outer(along**2, across**2).astype(np.float32),
                "rim": 1 - np.maximum.outer(np.abs(along), np.abs(across)).astype(np.float32),
                "alone": (counts - possible < 0.5).astype(np.float32),
            }
        )
    return looks


def second_look(
    image_hwc: Picture, claims: Sequence[Claim], shares_lhw: Floats, before: Sequence[Floats]
) -> list[dict[str, Floats]]:
    """Evidence from a first answer: its colours against those of everything else, near the box and near the pixel."""
    bins, cells = colour_bins(image_hwc), local_colour.cells(image_hwc)
    looks = []
    for claim, share, evidence in zip(claims, shares_lhw, before, strict=False):
        colour = _ratio(bins, share, (1 - share) * nearness(claim) + 1e-6)
        looks.append(
            {
                "before": np.clip(evidence, -8, 8),
                "colour": colour,
                "colour_around": _smoothed(colour, 1.5),
                "colour_near": local_colour.ratio(cells, share, 1 - share, _NEAR_CELLS),
                "colour_wide": local_colour.ratio(cells, share, 1 - share, _WIDE_CELLS),
                "share": share,
            }
        )
    return looks


def nearness(claim: Claim) -> Floats:
    """1 in the box, less with the distance from it: how much a pixel counts as its surroundings."""
    x0, y0, x1, y1 = claim.box
    height, width = claim.possible.shape
    xs, ys = np.arange(width) + 0.5, np.arange(height) + 0.5
    beside = np.maximum(np.maximum(x0 - xs, xs - x1), 0)
    above = np.maximum(np.maximum(y0 - ys, ys - y1), 0)
    return np.exp(-np.hypot.outer(above, beside) / (_NEAR_SHARE * max(x1 - x0, y1 - y0, 1.0))).astype(np.float32)


def _ratio(bins_hw: NDArray[np.intp], inner_hw: Floats, outer_hw: Floats) -> Floats:
    """Log-ratio ``[H,W]`` of how common each pixel's colour is under two weightings of the pixels."""
    ratio = np.log(_histogram(bins_hw, inner_hw) + 1e-5) - np.log(_histogram(bins_hw, outer_hw) + 1e-5)
    return np.asarray(ratio[bins_hw], np.float32)


def _histogram(bins_hw: NDArray[np.intp], weights_hw: Floats) -> NDArray[np.float64]:
    counts = np.bincount(bins_hw.ravel(), weights_hw.ravel(), minlength=BINS**3).reshape(BINS, BINS, BINS)
    smooth = gaussian_filter(counts, 0.8, mode="constant").ravel()
    return np.asarray(smooth / max(1e-9, float(smooth.sum())), np.float64)


def _smoothed(map_hw: Floats, sigma: float = _AROUND_PX) -> Floats:
    return np.asarray(cv2.GaussianBlur(map_hw, (0, 0), sigma), np.float32)
