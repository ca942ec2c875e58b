"""Numeric rules on the whole picture: size, aspect, duplicate, blur, exposure, entropy, border strips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.records import Picture, Scene
from engine.stages.one_by_one import OneByOne


@dataclass(frozen=True, slots=True)
class Params:
    """Thresholds. Shares are 0..1 of the pixels (or of the side, for strips)."""

    min_side_px: int = 256
    max_aspect: float = 3.0
    """Longer side over shorter side."""
    min_sharpness: float = 30.0
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) of the luma in the picture's sharpest places."""
    sharpness_side_px: int = 512
    max_clipped: float = 0.6
    min_entropy: float = 4.0
    """Bits of the 256-bin luma histogram; a plain logo has under 3, a photograph 6 to 8."""
    max_strip: float = 0.06
    """Width of a flat border strip, as a share of the side it is cut from."""


_BLOCK_PX = 32

Rule = tuple[str, Callable[[dict[str, float], Params], bool]]

RULES: tuple[Rule, ...] = (
    ("duplicate", lambda f, p: f["duplicate"] > 0),
    ("too_small", lambda f, p: min(f["width"], f["height"]) < p.min_side_px),
    ("extreme_aspect", lambda f, p: f["aspect"] > p.max_aspect),
    ("badly_exposed", lambda f, p: max(f["clipped_dark"], f["clipped_bright"]) > p.max_clipped),
    ("low_entropy", lambda f, p: f["entropy"] < p.min_entropy),
    ("letterbox", lambda f, p: _has_bars(f, p.max_strip)),
    ("blurred", lambda f, p: f["sharpness"] < p.min_sharpness),
)
"""Cheapest and surest first: the first that fires names the reason."""


class Rules(OneByOne):
    """Measures every feature of every picture and drops those that fail a rule."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)

    def work_on(self, scene: Scene) -> None:
        features = measure(scene.image_hwc, self.params.sharpness_side_px)
        features["duplicate"] = float(bool(scene.facts.get("duplicate_of")))
        scene.numbers["prefilter"] = features
        scene.drop_reason = next((name for name, fails in RULES if fails(features, self.params)), "")


def measure(image_hwc: Picture, sharpness_side_px: int = 512) -> dict[str, float]:
    """All features of one picture ``[H,W,3]``; every value is finite."""
    height, width = image_hwc.shape[:2]
    luma = np.asarray(cv2.cvtColor(image_hwc, cv2.COLOR_RGB2GRAY), np.uint8)
    histogram = np.bincount(luma.ravel(), minlength=256) / luma.size
    seen = histogram[histogram > 0]
    spread = image_hwc.max(axis=2).astype(np.int16) - image_hwc.min(axis=2)
    left, right = _strips(luma.T)
    top, bottom = _strips(luma)
    return {
        "width": float(width),
        "height": float(height),
        "aspect": max(width, height) / min(width, height),
        "megapixels": width * height / 1e6,
        "sharpness": _sharpness(luma, sharpness_side_px),
        "clipped_dark": float(histogram[:5].sum()),
        "clipped_bright": float(histogram[251:].sum()),
        "entropy": float(-(seen * np.log2(seen)).sum()),
        "grey_share": float((spread < 8).mean()),
        "strip_left": left,
        "strip_right": right,
        "strip_top": top,
        "strip_bottom": bottom,
    }


def _sharpness(luma_hw: Picture, side_px: int) -> float:
    """Variance of the Laplacian that a twentieth of the blocks exceed, the longer side at no more than ``side_px``.

    The sharpest places count, for a photograph with little depth of field is sharp only where it was focused.
    """
    scale = min(1.0, side_px / max(luma_hw.shape))
    size = tuple(max(1, round(side * scale)) for side in luma_hw.shape[::-1])
    small = luma_hw if scale == 1.0 else cv2.resize(luma_hw, size, interpolation=cv2.INTER_AREA)
    edges = np.asarray(cv2.Laplacian(small, cv2.CV_32F), np.float32)
    rows, cols = (max(1, side // _BLOCK_PX) for side in edges.shape)
    variances = [
        float(block.var()) for row in np.array_split(edges, rows) for block in np.array_split(row, cols, axis=1)
    ]
    return float(np.percentile(variances, 95))


def _strips(luma_hw: NDArray[np.uint8]) -> tuple[float, float]:
    """Share of the rows, from the first and from the last, that are a bar: flat, of one tone, with a sharp end."""
    return _strip(luma_hw), _strip(luma_hw[::-1])


def _strip(luma_hw: NDArray[np.uint8]) -> float:
    """A night sky is flat too but fades into its picture; a bar ends from one row to the next along its length."""
    tone = luma_hw.mean(axis=1)
    inside = (luma_hw.std(axis=1) < 2.0) & (np.abs(tone - tone[0]) < 3.0)
    length = int(np.argmin(np.append(inside, False)))
    if not 0 < length < len(tone) - 1:
        return 0.0
    step = np.abs(luma_hw[length + 1].astype(np.float32) - tone[0])
    return length / len(tone) if (step > 8.0).mean() > 0.5 else 0.0


def _has_bars(features: dict[str, float], widest: float) -> bool:
    """Bars come in opposite pairs: one flat side alone is a studio backdrop or a clear sky."""
    pairs = (("strip_left", "strip_right"), ("strip_top", "strip_bottom"))
    return any(min(features[a], features[b]) > widest for a, b in pairs)
