"""Blind votes as columns, and whether they can be rated at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Array = NDArray[Any]


class NotRatable(ValueError):
    """These votes have no rating. ``code`` is ``no_votes``, ``one_producer``, ``all_ties`` or ``not_connected``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True)
class Votes:
    """N votes, one entry of every column for each. Which producer was on which side is as the voter saw it.

    ``left`` and ``right`` index ``producers``. ``outcome`` is 1 where left was better, -1 where right was, 0 for a tie
    and for both bad, which say the same of the difference. ``photo`` and ``annotator`` are any whole numbers that say
    which votes belong together. Raises ``ValueError`` for columns of other lengths or a producer against itself.
    """

    producers: tuple[str, ...]
    left: Array
    right: Array
    outcome: Array
    photo: Array
    annotator: Array

    def __post_init__(self) -> None:
        sizes = {len(column) for column in (self.left, self.right, self.outcome, self.photo, self.annotator)}
        if len(sizes) > 1:
            raise ValueError(f"columns of different lengths: {sorted(sizes)}")
        if np.any(self.left == self.right):
            raise ValueError("a producer was compared with itself")
        if not np.isin(self.outcome, (-1, 0, 1)).all():
            raise ValueError("an outcome is -1, 0 or 1")

    def __len__(self) -> int:
        return len(self.left)

    def only(self, chosen: Array) -> Votes:
        """The votes at these places (a mask or indices); the producers stay the same ones."""
        columns = (self.left, self.right, self.outcome, self.photo, self.annotator)
        return Votes(self.producers, *(column[chosen] for column in columns))

    def among(self, kept: Sequence[int]) -> Votes:
        """Only these producers, renumbered in this order, and the votes between them."""
        place = np.full(len(self.producers), -1)
        place[list(kept)] = np.arange(len(kept))
        inside = self.only((place[self.left] >= 0) & (place[self.right] >= 0))
        names = tuple(self.producers[index] for index in kept)
        return Votes(names, place[inside.left], place[inside.right], inside.outcome, inside.photo, inside.annotator)

    @cached_property
    def patterns(self) -> Patterns:
        first, second = np.minimum(self.left, self.right), np.maximum(self.left, self.right)
        said = np.where(self.left < self.right, self.outcome, -self.outcome)
        size = len(self.producers)
        keys, of_vote, counts = np.unique(
            (first * size + second) * 3 + (said + 1), return_inverse=True, return_counts=True
        )
        pairs = keys // 3
        return Patterns(pairs // size, pairs % size, keys % 3 - 1, counts.astype(float), of_vote)

    @cached_property
    def wins(self) -> Array:
        """[K, K] votes that the row won over the column; a tie is half a win for both."""
        table = self.patterns
        wins = np.zeros((len(self.producers), len(self.producers)))
        np.add.at(wins, (table.first, table.second), table.counts * (table.outcome + 1) / 2)
        np.add.at(wins, (table.second, table.first), table.counts * (1 - table.outcome) / 2)
        return wins


@dataclass(frozen=True, slots=True)
class Patterns:
    """The P different things votes can say: ``first`` < ``second``, ``outcome`` as seen from the first; how often each
    was said, and which one each vote [N] is. Fits work on these, so 200,000 votes cost what a few hundred rows do."""

    first: Array
    second: Array
    outcome: Array
    counts: Array
    of_vote: Array


def linked(votes: Votes) -> list[list[int]]:
    """Groups of producers linked by wins in both directions, the largest first; a tie links both ways.

    Strengths are finite and unique exactly within such a group (Ford 1957).
    """
    count, group = connected_components(csr_array(votes.wins > 0), directed=True, connection="strong")
    groups = [np.flatnonzero(group == number).tolist() for number in range(count)]
    return sorted(groups, key=lambda members: (-len(members), members))


def require_ratable(votes: Votes) -> None:
    """Raises ``NotRatable`` where strengths would be infinite, arbitrary or of nothing."""
    if len(votes.producers) < 2:
        raise NotRatable("one_producer", "A rating compares; there is only one producer.")
    if not len(votes):
        raise NotRatable("no_votes", "There are no votes yet.")
    if not votes.outcome.any():
        raise NotRatable("all_ties", "Every vote is a tie, so nothing tells the producers apart.")
    groups = linked(votes)
    if len(groups) > 1:
        outside = ", ".join(votes.producers[index] for group in groups[1:] for index in group)
        raise NotRatable("not_connected", f"Not enough votes: not linked by wins in both directions: {outside}.")
