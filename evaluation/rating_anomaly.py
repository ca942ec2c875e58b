"""Voters who do not look at the pictures, found while they vote.

Each voter is tested against the distribution of the others' votes (leave the voter out), one vote after the other, as
Chatbot Arena does. Instead of Fisher's combination of p-values at a few random moments, which is built for continuous
values, this is a test martingale: the chance of what the voter said under careless voting, divided by its chance for
the others. It may be looked at after every vote: it passes ``1 / ALARM`` with chance at most ``ALARM`` for a voter who
votes like the others (Ville 1939; Shafer 2021, "Testing by betting").

A flag is a filter on the fit. Nothing is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.rating import fit
from evaluation.rating_votes import Array, NotRatable, Votes

ALARM = 0.001
LEAST_VOTES = 20
SLIP = 0.1
"""A careless voter keeps to the habit in nine votes of ten."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """``evidence`` is the largest value the martingale reached; above ``1 / ALARM`` the voter is flagged.

    ``habit`` names the careless way of voting that fits best: ``random``, ``left``, ``right``, ``tie``, ``opposite``.
    """

    annotator: int
    votes: int
    evidence: float
    flagged_after: int | None
    habit: str
    left_share: float

    @property
    def is_flagged(self) -> bool:
        return self.flagged_after is not None


def suspicions(votes: Votes) -> list[Suspicion]:
    """Every voter, the most suspicious first. Voters whose others cannot be rated are left out.

    The order of the votes is the order in which they were given.
    """
    found = []
    for annotator in np.unique(votes.annotator):
        mine = votes.annotator == annotator
        try:
            crowd = fit(votes.only(~mine))
        except NotRatable:
            continue
        own = votes.only(mine)
        found.append(_suspicion(int(annotator), own, crowd.chances(own.left, own.right)))
    return sorted(found, key=lambda suspicion: -suspicion.evidence)


def _suspicion(annotator: int, own: Votes, chances: Array) -> Suspicion:
    said = own.outcome + 1
    rows = np.arange(len(own))
    tie = chances.mean(0)[1]
    habits = {
        "random": np.broadcast_to([(1 - tie) / 2, tie, (1 - tie) / 2], chances.shape),
        "left": _always(2, chances),
        "right": _always(0, chances),
        "tie": _always(1, chances),
        "opposite": chances[:, ::-1],
    }
    steps = np.stack([np.log(habit[rows, said]) for habit in habits.values()]) - np.log(chances[rows, said])
    paths = steps.cumsum(1)
    evidence = np.exp(np.minimum(np.logaddexp.reduce(paths, 0) - np.log(len(habits)), 700))
    alarms = np.flatnonzero((evidence > 1 / ALARM) & (rows + 1 >= LEAST_VOTES))
    return Suspicion(
        annotator,
        len(own),
        float(evidence.max()),
        int(alarms[0]) + 1 if len(alarms) else None,
        list(habits)[int(paths[:, -1].argmax())],
        float((own.outcome == 1).mean()),
    )


def _always(outcome: int, chances: Array) -> Array:
    habit = SLIP * chances.copy()
    habit[:, outcome] += 1 - SLIP
    return np.asarray(habit)
