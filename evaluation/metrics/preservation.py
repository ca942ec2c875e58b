"""S_vis: does the layer keep what the photograph shows of it? (paper, section 6; lower is better)

``s_vis`` is the formula as written: ``mean LPIPS(g_rgb * g_v, p_rgb * g_v)``, colours in [0,1] times the visible mask,
so black outside, then LPIPS. Two of its properties are worth knowing, and each has a variant beside it:

* the mean runs over the whole picture, so a small object looks good: ``s_vis_area`` averages the map of the same
  distance over the visible mask alone, 2 px inside its border;
* colours under alpha 0 count, so a hole in the visible part costs nothing: ``s_vis_alpha`` lays both layers on the
  canvas colour first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
import torch

from engine.records import Mask
from evaluation.features.perceptual import SMALLEST_PX, PerceptualDistance, score, spatial_map
from evaluation.metrics.pairs import LayerPair
from evaluation.metrics.resize import Rgb
from evaluation.metrics.results import Choices, PerSample, Row, Undefined

EROSION_PX = 2
CANVAS: Rgb = (128, 128, 128)


class Preservation(PerSample):
    """Pairs may have different sizes: equal ones share a batch, and none is padded."""

    columns = {"s_vis": "lower", "s_vis_area": "lower", "s_vis_alpha": "lower"}

    def __init__(self, network: PerceptualDistance, batch: int = 8, canvas: Rgb = CANVAS) -> None:
        super().__init__()
        self._network, self._batch, self._canvas = network, batch, canvas

    @property
    def choices(self) -> Choices:
        return {
            **self._network.identity.as_choices(),
            "mask": "colours times the visible mask in 0..1, black outside",
            "s_vis_area": f"mean over the visible mask eroded by {EROSION_PX} px",
            "s_vis_alpha": f"both layers on the canvas colour {list(self._canvas)} first",
            "batch": self._batch,
        }

    @property
    def variant(self) -> str:
        return self._network.identity.variant

    def measure(self, pairs: Sequence[LayerPair]) -> Sequence[Row]:
        rows: dict[int, Row] = {}
        by_size: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for at, pair in enumerate(pairs):
            if reason := _undefined(pair):
                rows[at] = dict.fromkeys(self.columns, Undefined(reason))
            else:
                by_size[pair.visible_hw.shape].append(at)
        for places in by_size.values():
            for start in range(0, len(places), self._batch):
                chosen = places[start : start + self._batch]
                rows.update(zip(chosen, self._measure([pairs[at] for at in chosen]), strict=True))
        return [rows[at] for at in range(len(pairs))]

    def _measure(self, pairs: Sequence[LayerPair]) -> list[Row]:
        network = self._network
        height, width = pairs[0].visible_hw.shape
        visible = torch.from_numpy(np.stack([pair.visible_hw for pair in pairs])).float()[:, None]
        truth = torch.from_numpy(np.stack([pair.truth_hwc for pair in pairs])).permute(0, 3, 1, 2) / 255
        predicted = torch.from_numpy(np.stack([pair.predicted_hwc for pair in pairs])).permute(0, 3, 1, 2) / 255
        written = network.differences(*(network.levels(side[:, :3] * visible) for side in (truth, predicted)))
        on_canvas = network.differences(*(network.levels(self._on_canvas(s) * visible) for s in (truth, predicted)))
        by_pixel = spatial_map(written, height, width).cpu().numpy()
        rows: list[Row] = []
        for pair, plain, alpha, pixels in zip(
            pairs, score(written).tolist(), score(on_canvas).tolist(), by_pixel, strict=True
        ):
            inside = _eroded(pair.visible_hw)
            area = float(pixels[inside].mean()) if inside.any() else Undefined("visible_part_too_thin")
            rows.append({"s_vis": plain, "s_vis_area": area, "s_vis_alpha": alpha})
        return rows

    def _on_canvas(self, rgba_b4hw: torch.Tensor) -> torch.Tensor:
        canvas = torch.tensor(self._canvas).view(1, 3, 1, 1) / 255
        alpha = rgba_b4hw[:, 3:]
        return rgba_b4hw[:, :3] * alpha + canvas * (1 - alpha)


def _undefined(pair: LayerPair) -> str:
    """Black against black would be a perfect score for nothing."""
    if not pair.visible_hw.any():
        return "nothing_visible"
    return f"under_{SMALLEST_PX}_px" if min(pair.visible_hw.shape) < SMALLEST_PX else ""


def _eroded(visible_hw: Mask) -> Mask:
    size = 2 * EROSION_PX + 1
    # Outside the frame counts as visible: the picture's edge is no edge of the object.
    eroded = cv2.erode(visible_hw.astype(np.uint8), np.ones((size, size), np.uint8))
    return np.asarray(eroded > 0)
