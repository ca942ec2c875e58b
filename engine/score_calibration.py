"""Scores of different networks put on one scale: the chance that the detection is right.

Raw scores of two networks never compete. With labelled detections of a source its score is mapped by isotonic
regression (Zadrozny and Elkan 2002); without, by its rank within the picture and what the source is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PRIORS: Mapping[str, float] = {
    "rf_detr": 0.8,
    "sam3": 0.8,
    "grounding_dino": 0.7,
    "owlv2": 0.6,
    "language_locator": 0.5,
}
"""How far the best detection of a source is trusted before anything was measured: chosen, not fitted."""
_OTHER = 0.5
_WORST_SHARE = 0.5
"""The last of many detections of a picture is worth this share of the first."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision over score as a non-decreasing polyline; constant beyond its ends."""

    scores: tuple[float, ...]
    precisions: tuple[float, ...]

    def __call__(self, score: float) -> float:
        return float(np.interp(score, self.scores, self.precisions))


def fit(scores: Sequence[float], is_right: Sequence[bool]) -> Curve:
    """The curve of one source from labelled detections. Raises ``ValueError`` with fewer than two of them."""
    from sklearn.isotonic import IsotonicRegression

    if len(scores) < 2 or len(scores) != len(is_right):
        raise ValueError(f"a curve needs two or more labelled scores, got {len(scores)} and {len(is_right)} labels")
    fitted = IsotonicRegression(out_of_bounds="clip", y_min=0.0, y_max=1.0).fit(scores, np.asarray(is_right, float))
    return Curve(tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)))


def calibrate(scores: Sequence[float], source: str, curves: Mapping[str, Curve]) -> list[float]:
    """The scores of one source in one picture as chances 0..1, in the same order.

    A single detection is the first of its picture. Equal scores get equal chances.
    """
    if source in curves:
        return [curves[source](score) for score in scores]
    prior, count = PRIORS.get(source, _OTHER), len(scores)
    better = [sum(other > score for other in scores) for score in scores]
    return [prior * (1.0 - (1.0 - _WORST_SHARE) * rank / max(1, count - 1)) for rank in better]
