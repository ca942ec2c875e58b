"""One number out of many scores: the chance that a person accepts the layer, and the limit that decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Combination:
    """A logistic regression over scores, fitted on verdicts.

    ``means`` stand in for scores that a layer does not have; ``weights`` are log-odds per ``scales`` of each score.
    """

    weights: Mapping[str, float]
    means: Mapping[str, float]
    scales: Mapping[str, float]
    bias: float
    limit: float
    """Layers with a smaller chance are dropped."""

    def __call__(self, scores: Mapping[str, float]) -> float:
        """The chance 0..1 of being accepted."""
        total = self.bias
        for name, weight in self.weights.items():
            total += weight * (scores.get(name, self.means[name]) - self.means[name]) / self.scales[name]
        return 1.0 / (1.0 + exp(-min(max(total, -60.0), 60.0)))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Combination:
        """Raises ``ValueError`` when the document is no combination."""
        try:
            made = cls(**{name: document[name] for name in ("weights", "means", "scales", "bias", "limit")})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a fitted combination: {error}") from error
        if not set(made.weights) == set(made.means) == set(made.scales) or not all(made.scales.values()):
            raise ValueError("not a fitted combination: weights, means and scales are of different scores")
        return made


@dataclass(frozen=True, slots=True)
class Fit:
    """``auc`` and the operating point are of held-out pictures; ``kept`` is the share of layers above the limit."""

    combination: Combination
    layers: int
    accepted: int
    pictures: int
    auc: float
    recall: float
    precision: float
    kept: float
    ranking: list[tuple[str, float]] = field(default_factory=list)
    """Scores by the size of their weight."""


class TooFewVerdicts(ValueError):
    code = "too_few_verdicts"


LEAST = 20
_FOLDS = 5


def fit(
    scores: Sequence[Mapping[str, float]],
    is_accepted: Sequence[bool],
    pictures: Sequence[str],
    recall: float = 0.95,
    without: Sequence[str] = ("chance",),
) -> Fit:
    """Fit on all layers; judge on pictures held out in turn, for layers of one picture share what makes them good.

    ``recall``: the limit keeps at least this share of the accepted layers, as measured on held-out pictures. Raises
    ``TooFewVerdicts`` below ``LEAST`` layers of either kind or ``_FOLDS`` pictures with both kinds in reach.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold

    truth = np.asarray(is_accepted, bool)
    if min(int(truth.sum()), int((~truth).sum())) < LEAST or len(set(pictures)) < _FOLDS:
        raise TooFewVerdicts(
            f"needs {LEAST} accepted and {LEAST} rejected layers of {_FOLDS} pictures or more; has {int(truth.sum())}, "
            f"{int((~truth).sum())} of {len(set(pictures))}"
        )
    names = sorted({name for row in scores for name in row} - set(without))
    table = np.array([[row.get(name, np.nan) for name in names] for row in scores], np.float64)
    means, scales = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    useful = scales > 1e-9
    names = [name for name, use in zip(names, useful, strict=True) if use]
    means, scales = means[useful], scales[useful]
    scaled = np.where(np.isnan(table[:, useful]), 0.0, (table[:, useful] - means) / scales)
    held_out = np.zeros(len(truth))
    for train, test in StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0).split(scaled, truth, pictures):
        if truth[train].all() or not truth[train].any():
            raise TooFewVerdicts("all accepted or all rejected layers lie in a few pictures")
        held_out[test] = (
            LogisticRegression(max_iter=1000).fit(scaled[train], truth[train]).predict_proba(scaled[test])[:, 1]
        )
    limit = float(np.quantile(held_out[truth], 1.0 - recall, method="lower"))
    passed = held_out >= limit
    fitted = LogisticRegression(max_iter=1000).fit(scaled, truth)
    weights = {name: float(value) for name, value in zip(names, fitted.coef_[0], strict=True)}
    return Fit(
        combination=Combination(
            weights=weights,
            means={name: float(value) for name, value in zip(names, means, strict=True)},
            scales={name: float(value) for name, value in zip(names, scales, strict=True)},
            bias=float(fitted.intercept_[0]),
            limit=limit,
        ),
        layers=len(truth),
        accepted=int(truth.sum()),
        pictures=len(set(pictures)),
        auc=float(roc_auc_score(truth, held_out)),
        recall=float(passed[truth].mean()),
        precision=float(truth[passed].mean()),
        kept=float(passed.mean()),
        ranking=sorted(weights.items(), key=lambda row: -abs(row[1])),
    )
