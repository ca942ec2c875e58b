"""Fixed thresholds on measured scores: keep what is worth a person's time, say why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import flatten
from engine.records import Instance, LayerKind, Mask, RGBALayer, Scene
from engine.stages.one_by_one import OneByOne

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Params:
    """Thresholds drop only what nobody would accept; every score stays stored for a later, learned filter."""

    max_recomposition_error: float = 0.12
    min_area_px: float = 64.0
    min_main_part_share: float = 0.5
    max_soft_share: float = 0.8
    max_amodal_ratio: float = 5.0
    max_background_hole_share: float = 0.9


class Rules(OneByOne):
    """Recomposition error, alpha health, components, border contact, completion size."""

    def __init__(self, **params: Any) -> None:
        self.params: Params = Params(**params)

    def work_on(self, scene: Scene) -> None:
        kept = [(instance, instance.layer) for instance in scene.kept_instances if instance.layer is not None]
        error = recomposition_error(scene, [layer for _, layer in kept])
        for instance, layer in kept:
            instance.scores.update(scores(instance, layer, error))
            if instance.kind is LayerKind.BACKGROUND:
                instance.drop_reason = self._background_reason(instance.scores)
            else:
                instance.drop_reason = self._reason(instance.scores)
        scene.numbers["postfilter"] = {
            "recomposition_error": float(error.mean()),
            "layers_in": float(len(kept)),
            "layers_kept": float(len(scene.kept_instances)),
        }

    def _reason(self, scores: dict[str, float]) -> str:
        """The first rule that fails, or nothing."""
        params = self.params
        rules = {
            "empty": scores["area_px"] == 0,
            "too_small": scores["area_px"] < params.min_area_px,
            "recomposition": scores["recomposition_error"] > params.max_recomposition_error,
            "fragmented": scores["main_part_share"] < params.min_main_part_share,
            "all_soft": scores["soft_share"] > params.max_soft_share,
            "oversized_completion": scores["amodal_ratio"] > params.max_amodal_ratio,
        }
        return next((name for name, fails in rules.items() if fails), "")

    def _background_reason(self, scores: dict[str, float]) -> str:
        return "mostly_hidden" if scores["hidden_share"] > self.params.max_background_hole_share else ""


def recomposition_error(scene: Scene, layers: list[RGBALayer]) -> Floats:
    """Mean absolute difference [H,W], 0..1, between the stack laid front to back and the source image."""
    if not layers:
        return np.zeros(scene.image_hwc.shape[:2], np.float32)
    stack = flatten([layer.rgba_hwc for layer in layers])
    return np.abs(stack.astype(np.float32) - scene.image_hwc).mean(axis=2) / 255.0


def scores(instance: Instance, layer: RGBALayer, error_hw: Floats) -> dict[str, float]:
    """All scores of one layer, each finite; shares are 0..1.

    ``recomposition_error``: mean error where the layer is visible; ``soft_share``: alpha strictly between 5 % and
    95 % among alpha above 5 %; ``main_part_share``: the largest component's part of the amodal mask; ``hole_share``:
    enclosed holes against the filled shape; ``border_share``: how much of the outline lies on the picture's border.
    """
    alpha, amodal, visible = layer.alpha_hw, layer.amodal_hw, layer.visible_hw
    area, seen = float(np.count_nonzero(amodal)), float(np.count_nonzero(visible & amodal))
    some = alpha > 0.05
    soft = some & (alpha < 0.95)
    parts, main_part = _components(amodal)
    filled = _without_holes(amodal)
    return {
        "area_px": area,
        "area_share": area / amodal.size,
        "recomposition_error": float(error_hw[visible].mean()) if visible.any() else 0.0,
        "soft_share": _ratio(np.count_nonzero(soft), np.count_nonzero(some)),
        "components": float(parts),
        "main_part_share": _ratio(main_part, area),
        "hole_share": _ratio(np.count_nonzero(filled & ~amodal), np.count_nonzero(filled)),
        "border_share": _border_share(amodal),
        "hidden_share": _ratio(area - seen, area),
        "amodal_ratio": _ratio(area, seen, default=area),
        "detection": float(instance.score),
    }


def _ratio(part: float | np.integer, whole: float | np.integer, default: float = 0.0) -> float:
    return float(part) / float(whole) if whole else float(default)


def _components(mask_hw: Mask) -> tuple[int, int]:
    """Number of 8-connected parts and the size of the largest."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask_hw.astype(np.uint8), connectivity=8)
    return count - 1, int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0


def _without_holes(mask_hw: Mask) -> Mask:
    outside = np.pad(~mask_hw, 1, constant_values=True).astype(np.uint8)
    cv2.floodFill(outside, None, (0, 0), 2)
    return (outside != 2)[1:-1, 1:-1]


def _border_share(mask_hw: Mask) -> float:
    """Share of the outline's pixels that lie on the picture's border."""
    inner = cv2.erode(
        mask_hw.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    outline = mask_hw & (inner == 0)
    edge = np.ones_like(mask_hw)
    edge[1:-1, 1:-1] = False
    return _ratio(np.count_nonzero(outline & edge), np.count_nonzero(outline))
