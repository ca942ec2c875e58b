"""The matte of a layer against the true one, whole and in the unknown band, and three numbers that people ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.imaging import iou
from engine.records import Mask
from evaluation.metrics.mattes import (
    BAND_PX,
    Matte,
    connectivity_error,
    gradient_error,
    mse,
    sad,
    soft_iou,
    unknown_band,
)
from evaluation.metrics.pairs import LayerPair
from evaluation.metrics.results import Choices, PerSample, Row, Undefined

FOUND_IOU = 0.5
MEASURES: dict[str, Callable[[Matte, Matte, Mask], float]] = {
    "sad": sad,
    "mse": mse,
    "gradient": gradient_error,
    "connectivity": connectivity_error,
    "soft_iou": soft_iou,
}


class Alpha(PerSample):
    """``found`` is 1 when the amodal IoU is above one half: whether the prompt was understood at all."""

    columns = {
        **{f"{name}{part}": "higher" if name == "soft_iou" else "lower" for name in MEASURES for part in ("", "_band")},
        "amodal_iou": "higher",
        "hidden_iou": "higher",
        "found": "higher",
    }

    @property
    def choices(self) -> Choices:
        return {
            "band": f"soft pixels and contour of the truth, and {BAND_PX} px around",
            "sad, gradient, connectivity": "sums divided by 1000",
            "gradient": "Gaussian derivatives, sigma 1.4",
            "connectivity": "steps of 0.1, tolerance 0.15, four neighbours",
            "amodal": "alpha above one half",
            "hidden_iou": "outside the visible mask",
        }

    def measure(self, pairs: Sequence[LayerPair]) -> Sequence[Row]:
        return [_measure(pair) for pair in pairs]


def _measure(pair: LayerPair) -> Row:
    truth, predicted = (side[..., 3].astype(np.float64) / 255 for side in (pair.truth_hwc, pair.predicted_hwc))
    whole, band = np.ones(truth.shape, bool), unknown_band(truth)
    row: Row = {}
    for name, measure in MEASURES.items():
        row[name] = measure(truth, predicted, whole)
        # An opaque layer that fills the frame, as backgrounds do, has no edge to look at.
        row[f"{name}_band"] = measure(truth, predicted, band) if band.any() else Undefined("no_edge")
    amodal = predicted > 0.5
    overlap = float(iou(amodal, pair.amodal_hw))
    hidden = iou(amodal & ~pair.visible_hw, pair.hidden_hw)
    row["amodal_iou"] = overlap
    row["hidden_iou"] = float(hidden) if pair.hidden_hw.any() else Undefined("nothing_hidden")
    row["found"] = float(overlap > FOUND_IOU)
    return row
