"""Simulated people who compare producers of known strength."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from evaluation.rating_votes import Votes

NINE = np.array([0.95, 0.70, 0.55, 0.25, 0.10, -0.15, -0.40, -0.75, -1.25])
"""Strengths in logits with mean 0: 380 Elo from first to last, neighbours 26 to 87 apart."""
TIE = 0.5


def names(size: int) -> tuple[str, ...]:
    return tuple(f"producer {number}" for number in range(size))


def outcomes(margin: np.ndarray, tie: float, rng: np.random.Generator) -> np.ndarray:
    """-1, 0 or 1 by Davidson's chances, for the lead of the left side in logits."""
    weights = np.stack([np.exp(-margin / 2), np.full(len(margin), tie), np.exp(margin / 2)], -1)
    steps = weights.cumsum(-1) / weights.sum(-1, keepdims=True)
    return (rng.random(len(margin))[:, None] > steps).sum(-1) - 1


def world(
    seed: int,
    votes: int = 3000,
    strengths: np.ndarray = NINE,
    people: int = 12,
    photos: int = 300,
    bias: float = 0.2,
    bias_spread: float = 0.3,
    tie: float = TIE,
    vandals: Collection[int] = (),
    photo_spread: float = 0.0,
) -> Votes:
    """Uniform pairs, random sides. Each person leans to the left by ``bias`` plus an own amount. ``vandals`` vote at
    random. On each photo a producer is better or worse than usual by ``photo_spread`` (a standard deviation)."""
    rng = np.random.default_rng(seed)
    size = len(strengths)
    left = rng.integers(size, size=votes)
    right = (left + rng.integers(1, size, size=votes)) % size
    photo, annotator = rng.integers(photos, size=votes), rng.integers(people, size=votes)
    on_photo = strengths + rng.normal(0, photo_spread, (photos, size))
    leaning = bias + rng.normal(0, bias_spread, people)
    said = outcomes(on_photo[photo, left] - on_photo[photo, right] + leaning[annotator], tie, rng)
    careless = np.isin(annotator, list(vandals))
    said[careless] = rng.choice([-1, 0, 1], size=careless.sum(), p=[0.4, 0.2, 0.4])
    return Votes(names(size), left, right, said, photo, annotator)
