"""Producers that are worse than the truth by a known amount: ladders whose order no metric may turn around.

Each ladder is one fault in growing grades. A predicted layer is the true one with the fault; grade 0 is the truth. The
same pair and grade give the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import composite
from engine.records import Picture
from evaluation.metrics.backgrounds import OWN, background_of
from evaluation.metrics.pairs import LayerPair

CAST = np.array([1.0, 0.35, -1.0])
"""Towards red and away from blue, as a wrong white balance."""


def colour_cast(pair: LayerPair, grade: float) -> Picture:
    """All colours shifted by ``grade`` 8-bit steps, as a wrong white balance does."""
    return _with_colour(pair, pair.truth_hwc[..., :3] + grade * CAST)


def repaint(pair: LayerPair, grade: float) -> Picture:
    """The layer painted anew instead of copied: smoothed by ``grade`` px, with as much invented grain as it lost."""
    colour = pair.truth_hwc[..., :3].astype(np.float32)
    smooth = cv2.GaussianBlur(colour, (0, 0), grade)
    rng = _rng(pair)
    grain = cv2.GaussianBlur(rng.normal(0, 1, colour.shape).astype(np.float32), (0, 0), 1.0)
    return _with_colour(pair, smooth + grain * (np.std(colour - smooth) / max(1e-6, float(np.std(grain)))))


def hole_left(pair: LayerPair, grade: float) -> Picture:
    """The share ``grade`` of the hidden part stays empty, from the visible part's far side on."""
    out = pair.truth_hwc.copy()
    if pair.hidden_hw.any():
        away = cv2.distanceTransform((~pair.visible_hw).astype(np.uint8), cv2.DIST_L2, 5)
        out[..., 3][pair.hidden_hw & (away >= np.quantile(away[pair.hidden_hw], 1 - grade))] = 0
    return out


def halo(pair: LayerPair, grade: float) -> Picture:
    """The matte too large by ``grade`` px, with what lies behind in the rim."""
    size = 2 * round(grade) + 1
    wider = cv2.dilate(
        np.ascontiguousarray(pair.truth_hwc[..., 3]), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    )
    behind = background_of(pair, OWN)
    below = np.full_like(pair.truth_hwc[..., :3], 255) if behind is None else behind
    out = np.dstack([composite(pair.truth_hwc, below), wider])
    same = wider == pair.truth_hwc[..., 3]
    out[same] = pair.truth_hwc[same]
    return out


def shift(pair: LayerPair, grade: float) -> Picture:
    """The whole layer ``grade`` px too far right and half as many too low; its border colours carry on."""
    height, width = pair.visible_hw.shape
    moved = np.array([[1, 0, grade], [0, 1, grade / 2]], np.float32)
    return np.asarray(
        cv2.warpAffine(pair.truth_hwc, moved, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def wrong_completion(pair: LayerPair, grade: float) -> Picture:
    """The hidden part mixed with another picture, ``grade`` of it: stripes in the complement of its mean colour."""
    out = pair.truth_hwc.astype(np.float32)
    hidden = pair.hidden_hw
    if hidden.any():
        height, width = hidden.shape
        stripes = (np.arange(width)[None, :] + np.arange(height)[:, None]) // 6 % 2
        wrong = 255 - out[hidden][:, :3].mean(axis=0) + np.where(stripes, 40, -40)[..., None]
        out[..., :3][hidden] = (1 - grade) * out[..., :3][hidden] + grade * wrong[hidden]
    return np.rint(out.clip(0, 255)).astype(np.uint8)


Fault = Callable[[LayerPair, float], Picture]


@dataclass(frozen=True, slots=True)
class Ladder:
    name: str
    fault: Fault
    grades: tuple[float, ...]
    """From better to worse; grade 0, the truth itself, comes before them."""
    backgrounds_too: bool = True
    """Whether the fault can happen to an opaque background."""


LADDERS = (
    Ladder("colour cast", colour_cast, (8, 20, 45)),
    Ladder("repaint", repaint, (1, 2, 5)),
    Ladder("hole left", hole_left, (0.35, 0.7, 1), backgrounds_too=False),
    Ladder("halo", halo, (2, 5, 10), backgrounds_too=False),
    Ladder("shift", shift, (2, 5, 12)),
    Ladder("wrong completion", wrong_completion, (0.3, 0.6, 1)),
)


@dataclass(frozen=True, slots=True)
class Degraded:
    """A producer of layers with one fault of one grade; ``name`` is what a board shows."""

    name: str
    fault: Fault
    grade: float

    def degrade(self, pair: LayerPair) -> LayerPair:
        return replace(pair, predicted_hwc=self.fault(pair, self.grade))


def producers(ladder: Ladder) -> tuple[Degraded, ...]:
    return tuple(Degraded(f"{ladder.name} {grade:g}", ladder.fault, grade) for grade in ladder.grades)


def nine() -> tuple[Degraded, ...]:
    """Nine producers over all ladders, best to worst within each: enough to correlate with ratings."""
    chosen = {
        "colour cast": (8, 45), "repaint": (2, 5), "hole left": (0.7,), "halo": (5,), "shift": (2, 12),
        "wrong completion": (0.6,),
    }  # fmt: skip
    return tuple(
        Degraded(f"{ladder.name} {grade:g}", ladder.fault, grade) for ladder in LADDERS for grade in chosen[ladder.name]
    )


def _with_colour(pair: LayerPair, colour_hwc: NDArray[np.floating]) -> Picture:
    out = pair.truth_hwc.copy()
    out[..., :3] = np.rint(colour_hwc.clip(0, 255))
    return out


def _rng(pair: LayerPair) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(pair.name.encode()))
