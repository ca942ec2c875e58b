"""Classic Elo, vote after vote: only to show the figure that papers show. It depends on the order of the votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from evalica import Winner, elo

from evaluation.rating import CENTRE
from evaluation.rating_votes import Array, Votes

K_FACTOR = 32.0
SHUFFLES = 100
MOST_UPDATES = 2_000_000
WINNERS = {1: Winner.X, -1: Winner.Y, 0: Winner.Draw}


@dataclass(frozen=True, slots=True)
class OnlineElo:
    """[K] means over shuffles and the range of the middle 95 % of orders, which is not a confidence interval."""

    mean: Array
    low: Array
    high: Array
    shuffles: int


def online_elo(votes: Votes, shuffles: int = SHUFFLES, seed: int = 0) -> OnlineElo:
    """Start 1000, factor 32, over random orders of the votes; fewer orders for many votes. Raises ``ValueError`` for
    no votes."""
    if not len(votes):
        raise ValueError("there are no votes")
    shuffles = max(2, min(shuffles, MOST_UPDATES // len(votes)))
    rng = np.random.default_rng(seed)
    index = pd.Index(range(len(votes.producers)))
    winners = np.array([WINNERS[said] for said in votes.outcome.tolist()], dtype=object)
    drawn = []
    for _ in range(shuffles):
        order = rng.permutation(len(votes))
        result = elo(
            votes.left[order].tolist(),
            votes.right[order].tolist(),
            winners[order].tolist(),
            index=index,
            initial=CENTRE,
            scale=400.0,
            base=10.0,
            k=K_FACTOR,
        )
        drawn.append(result.scores.sort_index().to_numpy())
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return OnlineElo(np.mean(drawn, axis=0), low, high, shuffles)
