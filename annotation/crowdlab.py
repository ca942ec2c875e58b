"""How sure a layer's consensus is, with a model in the room: CROWDLAB (Goh, Tkachenko and Mueller 2022), from cleanlab.

The model is a logistic regression from the post-filter's scores to the majority, predicted out of sample, so that no
layer vouches for itself. CROWDLAB weighs it and each person by how far they agree with the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_LAYERS = 50
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """One layer: the scores of the post-filter, and what each person said of it (``True`` for accept)."""

    scores: Mapping[str, float]
    said: Mapping[int, bool]


def consensus_quality(layers: Sequence[Judged]) -> list[float] | None:
    """For each layer the chance, 0..1, that its majority is right.

    ``None`` where there is nothing to learn from: fewer than 50 layers, none judged by two people, no scores in
    common, or one answer only.
    """
    names = sorted(set.intersection(*(set(layer.scores) for layer in layers))) if layers else []
    majority = np.array([2 * sum(layer.said.values()) >= len(layer.said) for layer in layers], int)
    if not any(len(layer.said) > 1 for layer in layers):
        return None
    if len(layers) < LEAST_LAYERS or not names or min(majority.sum(), (1 - majority).sum()) < FOLDS:
        return None
    # Slow to load, and only this needs them.
    import pandas
    from cleanlab.multiannotator import get_label_quality_multiannotator
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.array([[layer.scores[name] for name in names] for layer in layers], float)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    chances = cross_val_predict(model, scores, majority, cv=FOLDS, method="predict_proba")
    labels = pandas.DataFrame([{person: int(said) for person, said in layer.said.items()} for layer in layers])
    found = get_label_quality_multiannotator(
        labels, chances, return_detailed_quality=False, return_annotator_stats=False, verbose=False
    )
    quality = found["label_quality"]
    # CROWDLAB may prefer the other answer to the majority's; then the majority's chance is what is left.
    agrees = quality["consensus_label"].to_numpy() == majority
    sure = quality["consensus_quality_score"].to_numpy()
    return [float(value) for value in np.where(agrees, sure, 1 - sure)]
