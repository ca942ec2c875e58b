"""Boxes of many sources become candidates, each with a vote of everybody who saw it.

Weighted boxes fusion (Solovyev, Wang and Gabruseva 2021) for boxes of one name, then a join of nearly equal boxes
whatever their names: there the sources saw one thing and differ about what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.labels import Vote, agree, belief
from engine.records import Box, Mask

SAME_NAME_IOU = 0.6
ANY_NAME_IOU = 0.85


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """``score``: calibrated, 0..1; ``mask_hw``: of the best detection that came with one."""

    box: Box
    score: float
    votes: tuple[Vote, ...]
    mask_hw: Mask | None = None


def fuse(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Few candidates, best first; the order of the input does not matter."""
    named = _fused(candidates, SAME_NAME_IOU, by_name=True)
    return _fused(named, ANY_NAME_IOU, by_name=False)


def _fused(candidates: Sequence[Candidate], iou_above: float, by_name: bool) -> list[Candidate]:
    groups: list[list[Candidate]] = []
    for new in sorted(candidates, key=_rank):
        for group in groups:
            alike = not by_name or all(agree(new.votes[0].label, old.votes[0].label) for old in group)
            if alike and box_iou(new.box, _mean_box(group)) >= iou_above:
                group.append(new)
                break
        else:
            groups.append([new])
    return sorted((_joined(group) for group in groups), key=_rank)


def _joined(group: Sequence[Candidate]) -> Candidate:
    """Box weighted by score; the score of several sources is what they say together."""
    if len(group) == 1:
        return group[0]
    votes = tuple(sorted({v for one in group for v in one.votes}, key=lambda v: (-v.weight, v.source, v.label)))
    mask = next((one.mask_hw for one in sorted(group, key=_rank) if one.mask_hw is not None), None)
    return Candidate(_mean_box(group), belief(votes), votes, mask)


def _mean_box(group: Sequence[Candidate]) -> Box:
    weights = np.array([max(one.score, 1e-6) for one in group])
    x0, y0, x1, y1 = (float(v) for v in weights @ np.array([one.box for one in group]) / weights.sum())
    return x0, y0, x1, y1


def _rank(one: Candidate) -> tuple[object, ...]:
    return -one.score, one.box, [(vote.label, vote.source) for vote in one.votes]


def box_iou(a: Box, b: Box) -> float:
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - wide * high
    return wide * high / union if union > 0 else 0.0
