"""Davidson's model of comparisons with ties, fitted to many sets of counts at once.

With strengths ``a`` and ``b`` the chances of win, tie and loss are as ``exp(a) : nu * exp((a + b) / 2) : exp(b)``
(Davidson 1970, "On extending the Bradley-Terry model to accommodate ties"). Without ties it is plain Bradley-Terry.
The likelihood is concave in the strengths and log nu, so Newton's method finds its maximum in a few steps. Newman's
iteration (2023, JMLR 24), which libraries have, has the same maximum but does not settle where the graph of
comparisons has no odd cycle, which begins with two producers.
"""

from __future__ import annotations

import numpy as np

from evaluation.rating_votes import Array, Patterns

MOST_STEPS = 40
LONGEST_STEP = 2.0
STRONGEST = 20.0
FAINT = np.log(1e-8)
"""log nu where there are no ties; and a nudge, far below any count, that keeps the matrices invertible."""


def most_likely(table: Patterns, size: int, counts: Array, tolerance: float = 1e-10) -> tuple[Array, Array]:
    """Strengths [B, K] with mean 0 and nu [B] for counts [B, P] of the rows of ``table``.

    Where a set of counts does not link all producers, strengths would be infinite; they stop within ``STRONGEST``.
    """
    keys, pair = np.unique(table.first * size + table.second, return_inverse=True)
    member = (pair[:, None] == np.arange(len(keys))).astype(float)
    contrast = np.zeros((len(keys), size))
    contrast[np.arange(len(keys)), keys // size] = 1
    contrast[np.arange(len(keys)), keys % size] = -1
    asked = counts @ member
    lead = counts @ (member * table.outcome[:, None] / 2)
    ties = counts @ (table.outcome == 0).astype(float)
    squares = (contrast[:, :, None] * contrast[:, None, :]).reshape(len(contrast), -1)
    strengths: Array = np.zeros((len(counts), size))
    log_nu = np.full(len(counts), FAINT)
    log_nu[ties > 0] = np.log(0.5)
    for _ in range(MOST_STEPS):
        margin = strengths @ contrast.T
        weights = np.stack([np.exp(margin / 2), np.exp(-margin / 2), np.exp(log_nu)[:, None] + 0 * margin])
        won, lost, tied = weights / weights.sum(0)
        mean = (won - lost) / 2
        slope = np.c_[(lead - asked * mean) @ contrast, ties - (asked * tied).sum(1)]
        bend = np.zeros((len(counts), size + 1, size + 1))
        bend[:, :size, :size] = ((asked * ((won + lost) / 4 - mean**2)) @ squares).reshape(-1, size, size) + 1 / size
        bend[:, :size, size] = -(asked * mean * tied) @ contrast
        bend[:, size, :size] = bend[:, :size, size]
        bend[:, size, size] = (asked * tied * (1 - tied)).sum(1)
        bend[:, range(size + 1), range(size + 1)] += 1e-9
        slope[ties == 0, size] = 0
        step = np.linalg.solve(bend, slope[..., None])[..., 0].clip(-LONGEST_STEP, LONGEST_STEP)
        strengths = (strengths + step[:, :size]).clip(-STRONGEST, STRONGEST)
        log_nu = np.maximum(log_nu + step[:, size], FAINT)
        if np.abs(step).max() < tolerance:
            break
    return strengths - strengths.mean(1, keepdims=True), np.where(ties > 0, np.exp(log_nu), 0.0)
