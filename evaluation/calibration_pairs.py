"""Can a metric of single pictures foretell a vote? Its difference between two layers turned into a chance.

For what exists per picture (preservation and completion, not fidelity). Judged on photos it was not fitted to, against
the human ceiling: how often one person agrees with the others on the same pair of layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.agreement import Estimate, share
from evaluation.rating_votes import Array

FOLDS = 5
BINS = 10


@dataclass(frozen=True, slots=True)
class Foretelling:
    """``accuracy``: votes foretold rightly on photos held out. ``ceiling``: people by the others' majority; ``None``
    when no pair of layers was voted on by two people. ``log_loss`` is in nats, .693 is a coin.

    ``reliability``: (mean chance foretold, share that came true, votes) in ten bins of chances, empty bins left out.
    """

    coefficients: tuple[float, ...]
    accuracy: Estimate
    log_loss: float
    ceiling: Estimate | None
    reliability: list[tuple[float, float, int]]


def foretell(differences: Array, outcome: Array, photo: Array, pair: Array, annotator: Array) -> Foretelling | None:
    """Logistic regression of who won on metric differences [N, M], cross-validated by photo.

    ``pair`` [N] says which votes are about the same two layers. All votes of a pair are told from the same one of the
    two, whatever side it was on: ``differences`` are its metrics minus the other's, ``outcome`` [N] is 1 where it won
    and -1 where it lost; ties (0) are left out, because they foretell neither. ``None`` with fewer than five photos,
    or where all votes say the same.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    decided = outcome != 0
    x, y, groups = differences[decided], outcome[decided] > 0, photo[decided]
    if np.unique(groups).size < FOLDS or y.all() or not y.any():
        return None
    # Without an intercept: told from the other layer of the pair, a vote must get the opposite chance.
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(fit_intercept=False))
    chances = cross_val_predict(model, x, y, groups=groups, cv=GroupKFold(FOLDS), method="predict_proba")[:, 1]
    model.fit(x, y)
    right = (chances > 0.5) == y
    safe = np.clip(chances, 1e-9, 1 - 1e-9)
    bins = np.minimum((chances * BINS).astype(int), BINS - 1)
    reliability = [
        (float(chances[inside].mean()), float(y[inside].mean()), int(inside.sum()))
        for inside in (bins == number for number in range(BINS))
        if inside.any()
    ]
    return Foretelling(
        tuple(map(float, model[-1].coef_[0] / model[0].scale_)),
        share(int(right.sum()), len(y)),
        float(-np.mean(np.where(y, np.log(safe), np.log(1 - safe)))),
        human_ceiling(outcome[decided], pair[decided], annotator[decided]),
        reliability,
    )


def human_ceiling(said: Array, pair: Array, annotator: Array) -> Estimate | None:
    """How often a person says what most of the others say of the same pair; even splits of the others are left out.

    ``said`` [N] is 1 or -1 as seen from the same layer of the pair. Only a person's first vote on a pair counts.
    ``None`` when nobody shares a pair with others.
    """
    first = np.unique(np.column_stack([pair, annotator]), axis=0, return_index=True)[1]
    _, index = np.unique(pair[first], return_inverse=True)
    votes = said[first]
    others = np.bincount(index, votes)[index] - votes
    clear = others != 0
    return share(int((np.sign(others[clear]) == votes[clear]).sum()), int(clear.sum())) if clear.any() else None
