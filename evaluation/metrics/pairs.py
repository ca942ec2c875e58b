"""One true layer beside one predicted layer: what every metric is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.records import LayerKind, Mask, Picture


class BadPair(ValueError):
    """Pictures that cannot be scored. ``code`` is for programs, the sentence names the pair.

    Codes: ``not_finite``, ``wrong_type``, ``wrong_shape``, ``size_mismatch``, ``empty_truth``.
    """

    def __init__(self, code: str, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.code = code


@dataclass(frozen=True, eq=False)
class LayerPair:
    """Truth and prediction of one prompt, at the size of their photograph. Raises ``BadPair`` on what is no pair.

    ``truth_hwc`` and ``predicted_hwc`` are RGBA, uint8, straight alpha; ``visible_hw`` (bool) is what of the truth is
    seen in the photograph; ``background_hwc`` (RGB, uint8) is what truly lies behind the layer, where that is known.
    """

    name: str
    truth_hwc: Picture
    predicted_hwc: Picture
    visible_hw: Mask
    background_hwc: Picture | None = None
    photo: str = ""
    """Pairs of one photograph are one cluster for the intervals; empty: the pair is its own."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the benchmark says of it, to slice by: ``kind``, ``category``, ``prompt``."""

    def __post_init__(self) -> None:
        for what, array, channels in (
            ("truth", self.truth_hwc, 4),
            ("prediction", self.predicted_hwc, 4),
            ("background", self.background_hwc, 3),
        ):
            if array is not None:
                _require_picture(self.name, what, array, channels)
        if np.asarray(self.visible_hw).dtype != np.bool_ or self.visible_hw.ndim != 2:
            raise BadPair("wrong_type", self.name, "the visible mask must be [height, width] of bool")
        height, width = self.truth_hwc.shape[:2]
        for what, other in (
            ("prediction", self.predicted_hwc),
            ("visible mask", self.visible_hw),
            ("background", self.background_hwc),
        ):
            if other is not None and other.shape[:2] != (height, width):
                detail = f"the truth has {width} x {height} px, the {what} {other.shape[1]} x {other.shape[0]}"
                raise BadPair("size_mismatch", self.name, detail)
        if not self.amodal_hw.any():
            raise BadPair("empty_truth", self.name, "the truth has no pixel with alpha above one half")

    @cached_property
    def amodal_hw(self) -> Mask:
        """Of the truth."""
        return np.asarray(self.truth_hwc[..., 3] > 127)

    @cached_property
    def hidden_hw(self) -> Mask:
        """The part of the truth that the photograph does not show."""
        return np.asarray(self.amodal_hw & ~self.visible_hw)

    @property
    def hidden_share(self) -> float:
        """Hidden over amodal pixels of the truth, 0..1."""
        return float(np.count_nonzero(self.hidden_hw) / np.count_nonzero(self.amodal_hw))

    @property
    def kind(self) -> LayerKind:
        """As the benchmark says, else a truth that is opaque everywhere is a background."""
        if said := self.facts.get("kind"):
            return LayerKind(said)
        return LayerKind.BACKGROUND if bool((self.truth_hwc[..., 3] == 255).all()) else LayerKind.FOREGROUND

    @property
    def cluster(self) -> str:
        return self.photo or self.name


def _require_picture(name: str, what: str, array: NDArray[Any], channels: int) -> None:
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
        raise BadPair("not_finite", name, f"the {what} has values that are not numbers")
    if array.dtype != np.uint8:
        raise BadPair("wrong_type", name, f"the {what} must be 8-bit, not {array.dtype}")
    if array.ndim != 3 or array.shape[2] != channels or 0 in array.shape:
        raise BadPair("wrong_shape", name, f"the {what} must be [height, width, {channels}], not {array.shape}")


def shrink(pair: LayerPair, longest_px: int) -> LayerPair:
    """The pair with its longer side at most ``longest_px``; smaller ones are returned as they are, never enlarged.

    Colours by antialiased bicubic, alpha by area, the visible mask by nearest neighbour, so that it stays a mask.
    """
    height, width = pair.visible_hw.shape
    scale = longest_px / max(height, width)
    if scale >= 1:
        return pair
    size = max(1, round(width * scale)), max(1, round(height * scale))
    visible = cv2.resize(pair.visible_hw.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
    return replace(
        pair,
        truth_hwc=_shrink_layer(pair.truth_hwc, size),
        predicted_hwc=_shrink_layer(pair.predicted_hwc, size),
        visible_hw=np.asarray(visible),
        background_hwc=None if pair.background_hwc is None else _bicubic(pair.background_hwc, size),
    )


def _shrink_layer(rgba_hwc: Picture, size_wh: tuple[int, int]) -> Picture:
    alpha = cv2.resize(np.ascontiguousarray(rgba_hwc[..., 3]), size_wh, interpolation=cv2.INTER_AREA)
    return np.dstack([_bicubic(rgba_hwc[..., :3], size_wh), alpha])


def _bicubic(rgb_hwc: Picture, size_wh: tuple[int, int]) -> Picture:
    picture = Image.fromarray(np.ascontiguousarray(rgb_hwc))
    return np.asarray(picture.resize(size_wh, Image.Resampling.BICUBIC), np.uint8)
