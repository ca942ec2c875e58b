"""S_gen: is the hidden part completed in the true direction? (paper, section 6; higher is better)

``mean cos(f(g) - f(g * g_v), f(p) - f(g * g_v))``, f the image encoder, features of unit length before subtraction.
g and p are the layers laid on the canvas colour, ``g * g_v`` is the visible part of the truth on the same canvas, so
that the first difference is the hidden part and nothing else. (With a black canvas this is the formula to the letter.)

What the paper leaves open, and what is done here: layers of which less than 5 % is hidden have no direction worth the
name and are left out, with their count; a prediction that adds nothing to the visible part has cosine 0; all three
pictures are cut to the truth's amodal box and a tenth of its sides, padded to a square and never cropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.imaging import box_of, composite
from engine.records import Picture
from evaluation.features.identity import ImageEncoder
from evaluation.metrics.pairs import LayerPair
from evaluation.metrics.resize import Rgb, as_batch, letterbox
from evaluation.metrics.results import Choices, PerSample, Row, Undefined

LEAST_HIDDEN = 0.05
MARGIN = 0.1
CANVAS: Rgb = (128, 128, 128)
SAME = 1e-6
"""Features of unit length nearer than this are the same picture: below float32's own noise over some hundred terms."""


class Completion(PerSample):
    columns = {"s_gen": "higher"}

    def __init__(self, encoder: ImageEncoder, batch: int = 8, canvas: Rgb = CANVAS) -> None:
        super().__init__()
        self._encoder, self._batch, self._canvas = encoder, batch, canvas

    @property
    def choices(self) -> Choices:
        return {
            **self._encoder.identity.as_choices(),
            "canvas": list(self._canvas),
            "crop": f"amodal box of the truth and {MARGIN:.0%} of its sides, padded to a square",
            "least_hidden": LEAST_HIDDEN,
            "features": "unit length before subtraction, float32",
            "batch": self._batch,
        }

    @property
    def variant(self) -> str:
        return self._encoder.identity.variant

    def measure(self, pairs: Sequence[LayerPair]) -> Sequence[Row]:
        chosen = [pair for pair in pairs if pair.hidden_share >= LEAST_HIDDEN]
        cosines: dict[str, float | Undefined] = {}
        for start in range(0, len(chosen), self._batch):
            part = chosen[start : start + self._batch]
            cosines.update(zip((pair.name for pair in part), self._cosines(part), strict=True))
        return [{"s_gen": cosines.get(pair.name, Undefined("hardly_hidden"))} for pair in pairs]

    def _cosines(self, pairs: Sequence[LayerPair]) -> list[float | Undefined]:
        pictures = [picture for pair in pairs for picture in self._pictures(pair)]
        features = self._encoder(torch.from_numpy(as_batch(pictures, self._encoder.side_px))).float()
        if not bool(torch.isfinite(features).all()):
            raise ValueError(f"{self._encoder.identity.name} gave features that are not finite")
        unit = torch.nn.functional.normalize(features, dim=1).view(len(pairs), 3, -1)
        truth, predicted = unit[:, 0] - unit[:, 2], unit[:, 1] - unit[:, 2]
        return [direction_cosine(t, p) for t, p in zip(truth, predicted, strict=True)]

    def _pictures(self, pair: LayerPair) -> tuple[Picture, Picture, Picture]:
        """Truth, prediction and the visible part of the truth, each a square on the canvas."""
        visible = pair.truth_hwc.copy()
        visible[..., 3] *= pair.visible_hw
        below = np.empty((*pair.visible_hw.shape, 3), np.uint8)
        below[:] = self._canvas
        rows, columns = _window(pair)
        truth, predicted, shown = (
            letterbox(composite(rgba[rows, columns], below[rows, columns]), self._canvas)
            for rgba in (pair.truth_hwc, pair.predicted_hwc, visible)
        )
        return truth, predicted, shown


def direction_cosine(truth_d: torch.Tensor, predicted_d: torch.Tensor) -> float | Undefined:
    """Cosine of the two directions; 0 for a prediction without one, undefined for a truth without one."""
    length, other = float(truth_d.norm()), float(predicted_d.norm())
    if length < SAME:
        return Undefined("truth_looks_like_its_visible_part")
    if other < SAME:
        return 0.0
    return float(torch.dot(truth_d, predicted_d)) / (length * other)


def _window(pair: LayerPair) -> tuple[slice, slice]:
    x0, y0, x1, y1 = box_of(pair.amodal_hw) or (0.0, 0.0, 0.0, 0.0)
    height, width = pair.visible_hw.shape
    wide, high = MARGIN * (x1 - x0), MARGIN * (y1 - y0)
    rows = slice(max(0, int(y0 - high)), min(height, int(np.ceil(y1 + high))))
    return rows, slice(max(0, int(x0 - wide)), min(width, int(np.ceil(x1 + wide))))
