"""Does the side, or anything else that was seen with a vote, sway people? A logistic regression beside the rating.

Votes of one person are not independent, so standard errors are clustered by annotator. With 12 people who each have
their own leaning, errors that take votes for independent are ten times too small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluation.rating_votes import Array, Votes, require_ratable

ENOUGH_PEOPLE = 20
"""With fewer clusters even clustered errors are rough (Cameron and Miller 2015)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A coefficient in logits with its 95 % interval from errors clustered by annotator."""

    name: str
    value: float
    low: float
    high: float
    naive_error: float
    error: float

    @property
    def shares(self) -> tuple[float, float, float]:
        """The same as how often left is taken of two equal layers, 0..1: value, low, high."""
        value, low, high = 1 / (1 + np.exp(-np.array([self.value, self.low, self.high])))
        return float(value), float(low), float(high)


@dataclass(frozen=True, slots=True)
class Bias:
    """``left`` above 0: left is taken too often. ``covariates`` are signed towards left."""

    left: Effect
    covariates: list[Effect]
    people: int

    @property
    def is_rough(self) -> bool:
        return self.people < ENOUGH_PEOPLE


def side_bias(votes: Votes, covariates: Mapping[str, Array] | None = None) -> Bias:
    """How far side and covariates [N] move a vote, strengths of the producers held fixed.

    A covariate is left minus right (how much larger the left layer is) or a property of the vote, whose effect is then
    on the leaning to the left. A tie is half a vote. Raises ``NotRatable`` as a fit does, and for votes of one person
    only, whose errors cannot be clustered.
    """
    import statsmodels.api as sm  # seconds to load, and only a refit needs it

    require_ratable(votes)
    extra = dict(covariates or {})
    people = np.unique(votes.annotator).size
    rows = np.arange(len(votes))
    design = np.zeros((len(votes), len(votes.producers)))
    design[rows, votes.left] += 1
    design[rows, votes.right] -= 1
    columns = np.column_stack([np.ones(len(votes)), *extra.values(), design[:, 1:]])
    regression = sm.GLM((votes.outcome + 1) / 2, columns, family=sm.families.Binomial())
    naive = regression.fit()
    if people < 2:
        found = naive
    else:
        found = regression.fit(cov_type="cluster", cov_kwds={"groups": votes.annotator}, use_t=True)
    bounds = found.conf_int()
    effects = [
        Effect(
            name,
            float(found.params[at]),
            float(bounds[at][0]),
            float(bounds[at][1]),
            float(naive.bse[at]),
            float(found.bse[at]),
        )
        for at, name in enumerate(["left", *extra])
    ]
    return Bias(effects[0], effects[1:], people)
