"""Which layers of two producers show the same thing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Protocol, TypeVar

LEAST_OVERLAP = 0.5
"""Intersection over union of the boxes. Layers that agree less may be different things, or one is half of the other."""


class Boxed(Protocol):
    kind: str
    box: Sequence[float]


L = TypeVar("L", bound=Boxed)


def pair_id(one: uuid.UUID, other: uuid.UUID) -> uuid.UUID:
    """The same for both orders."""
    first, second = sorted((one, other))
    return uuid.uuid5(first, str(second))


def same_things(ours: Sequence[L], theirs: Sequence[L]) -> list[tuple[L, L]]:
    """Layers of one photo that belong together, each at most once, the best overlap first; kinds are never mixed."""
    overlaps = sorted(
        ((_overlap(one, other), at, to) for at, one in enumerate(ours) for to, other in enumerate(theirs)),
        key=lambda found: -found[0],
    )
    pairs, used_ours, used_theirs = [], set(), set()
    for overlap, at, to in overlaps:
        if overlap >= LEAST_OVERLAP and at not in used_ours and to not in used_theirs:
            pairs.append((ours[at], theirs[to]))
            used_ours.add(at)
            used_theirs.add(to)
    return pairs


def _overlap(one: Boxed, other: Boxed) -> float:
    if one.kind != other.kind:
        return 0.0
    if one.kind == "background":
        return 1.0
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = one.box, other.box
    shared = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    either = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared
    return shared / either if either > 0 else 0.0
