"""What a person sees when the picture is put together again: wrong pixels, and wrong colours at soft edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.metrics.backgrounds import OWN, composites
from evaluation.metrics.pairs import LayerPair
from evaluation.metrics.results import Choices, PerSample, Row, Undefined


class Recomposition(PerSample):
    """``recomposition``: mean absolute difference, 0..1, of prediction and truth laid on what truly lies behind them,
    over the pixels where the truth is not hidden: there a wrong layer changes the photograph.

    ``edge_colour``: mean of ``alpha * |F_predicted - F_true|``, 0..1, over the soft pixels of the truth: the fringe of
    the old background that a layer carries to a new one.
    """

    columns = {"recomposition": "lower", "edge_colour": "lower"}

    @property
    def choices(self) -> Choices:
        return {
            "recomposition": "on the true background, over pixels that are not hidden",
            "edge_colour": "weighted by the true alpha, over its pixels strictly between 0 and 1",
        }

    def measure(self, pairs: Sequence[LayerPair]) -> Sequence[Row]:
        return [{"recomposition": _recomposition(pair), "edge_colour": _edge_colour(pair)} for pair in pairs]


def _recomposition(pair: LayerPair) -> float | Undefined:
    both = composites(pair, OWN)
    if both is None:
        return Undefined("no_background_in_the_truth")
    shown = ~pair.hidden_hw
    truth, predicted = (side[shown].astype(float) for side in both)
    return float(np.abs(predicted - truth).mean() / 255)


def _edge_colour(pair: LayerPair) -> float | Undefined:
    alpha = pair.truth_hwc[..., 3]
    soft = (alpha > 0) & (alpha < 255)
    if not soft.any():
        return Undefined("no_soft_pixel")
    apart = np.abs(pair.predicted_hwc[soft][:, :3].astype(float) - pair.truth_hwc[soft][:, :3]).mean(axis=1)
    return float((apart * alpha[soft]).mean() / 255**2)
