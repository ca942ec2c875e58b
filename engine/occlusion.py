"""Who is in front of whom, from visible masks and the boxes drawn around the objects.

Evidence of a pair is invasion: an object whose convex hull is entered by its neighbour's visible mask has lost
a piece there, so it lies behind (convexity as an occlusion cue, after Zhan et al. 2020, *Self-supervised scene
de-occlusion*, where the hull serves as amodal guess). So has one that does not reach a side of its box because its
neighbour lies there. Size and height in the picture are at chance level and unused.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from engine.imaging import box_of, box_to_mask
from engine.records import Box, Mask

TOUCH_PX = 3
"""Masks closer than this are neighbours; others never occlude each other."""
ABSTAIN_BELOW = 0.005
"""Hull evidence weaker than this is noise of the masks' edges."""

Edge = tuple[int, int, float]
"""Front index, behind index, confidence 0..1."""


@dataclass(frozen=True, slots=True)
class Order:
    """An acyclic occlusion order over ``n`` masks.

    ``edges``: sorted; ``ranking``: every index once, front to back, no edge against it;
    ``cycles_broken``: edges given up because they closed a cycle.
    """

    edges: tuple[Edge, ...]
    ranking: tuple[int, ...]
    cycles_broken: int


def order(visible_masks: Sequence[Mask], boxes: Sequence[Box | None] = ()) -> Order:
    """Order disjoint visible masks ``[H,W]`` front to back; ``boxes`` are those given for the whole objects, if any.

    A pair gets an edge when the masks touch and the evidence is not weak. Objects that no edge ties are ranked
    smaller first, then by position, then by index.
    """
    masks, known = list(visible_masks), list(boxes) or [None] * len(visible_masks)

    def judge(i: int, j: int) -> float:
        evidence = hull_evidence(masks[i], masks[j]) + extent_evidence(masks[i], masks[j], known[i], known[j])
        return evidence if abs(evidence) >= ABSTAIN_BELOW else 0.0

    return order_by(masks, judge)


def order_by(visible_masks: Sequence[Mask], judge: Callable[[int, int], float]) -> Order:
    """Order disjoint visible masks by a judge of pairs that touch: positive when the first index is in front.

    The size of its answer, capped at 1, is the confidence; 0 is no answer and gives no edge. Cycles lose their least
    confident edge.
    """
    edges = []
    for i, j in combinations(range(len(visible_masks)), 2):
        if are_adjacent(visible_masks[i], visible_masks[j]) and (evidence := judge(i, j)):
            edges.append((i, j, min(evidence, 1.0)) if evidence > 0 else (j, i, min(-evidence, 1.0)))
    keys = [_tie_key(mask) for mask in visible_masks]
    kept = break_cycles(edges, len(visible_masks), keys)
    ranking = topological_order(kept, keys)
    return Order(tuple(sorted(kept)), tuple(ranking), len(edges) - len(kept))


def hull(mask_hw: Mask) -> Mask:
    """Filled convex hull of the true pixels."""
    out = np.zeros(mask_hw.shape, np.uint8)
    points = cv2.findNonZero(mask_hw.astype(np.uint8))
    if points is not None:
        cv2.fillConvexPoly(out, cv2.convexHull(points), 1)
    return out.astype(bool)


def hull_evidence(a_hw: Mask, b_hw: Mask) -> float:
    """Evidence in -1..1 that ``a`` is in front of ``b``: pixels of ``a`` in the hull of ``b`` less the reverse.

    Antisymmetric. Both counts are divided by the size of the smaller mask. Dividing each by its own invader instead
    would favour small objects.
    """
    size = min(np.count_nonzero(a_hw), np.count_nonzero(b_hw))
    if not size:
        return 0.0
    a_invades = np.count_nonzero(hull(b_hw) & a_hw)
    b_invades = np.count_nonzero(hull(a_hw) & b_hw)
    return float(np.clip((a_invades - b_invades) / size, -1.0, 1.0))


def extent_evidence(a_hw: Mask, b_hw: Mask, a_box: Box | None, b_box: Box | None) -> float:
    """Evidence in -1..1 that ``a`` is in front of ``b``: how much of the box of ``b`` it keeps ``b`` from reaching.

    Antisymmetric. Measured in the strips between an object's visible extent and the sides of its box, as the share
    of the box that the other one fills there. A box drawn tightly around the visible part says nothing.
    """
    return kept_from(b_hw, a_hw, b_box) - kept_from(a_hw, b_hw, a_box)


def kept_from(behind_hw: Mask, front_hw: Mask, box: Box | None) -> float:
    """Share of an object's box that its visible mask does not reach and ``front_hw`` fills; 0 without a box."""
    reached = box_of(behind_hw)
    if box is None or reached is None:
        return 0.0
    height, width = behind_hw.shape
    missed = box_to_mask(box, height, width) & ~box_to_mask(reached, height, width)
    return float(np.count_nonzero(missed & front_hw) / max(1.0, (box[2] - box[0]) * (box[3] - box[1])))


def are_adjacent(a_hw: Mask, b_hw: Mask, touch_px: int = TOUCH_PX) -> bool:
    """Whether two masks come within ``touch_px`` of each other."""
    kernel = np.ones((2 * touch_px + 1, 2 * touch_px + 1), np.uint8)
    return bool((cv2.dilate(a_hw.astype(np.uint8), kernel).astype(bool) & b_hw).any())


def break_cycles(edges: Sequence[Edge], count: int, keys: Sequence[tuple[float, ...]]) -> list[Edge]:
    """Remove the least confident edge of every strongly connected component until none is left.

    Among equally weak edges the one with the smallest ``keys`` of its front, then of its behind, goes first.
    """
    kept = list(edges)
    while inside := _edges_in_cycles(kept, count):
        for group in inside.values():
            kept.remove(min(group, key=lambda e: (e[2], keys[e[0]], keys[e[1]], e[0], e[1])))
    return kept


def topological_order(edges: Sequence[Edge], keys: Sequence[tuple[float, ...]]) -> list[int]:
    """Indices front to back (Kahn 1962); of those free to come next the smallest key does, then index.

    Raises ``ValueError`` when the edges hold a cycle.
    """
    waiting = [0] * len(keys)
    behind: list[list[int]] = [[] for _ in keys]
    for front, back, _ in edges:
        waiting[back] += 1
        behind[front].append(back)
    ready = [(keys[i], i) for i, left in enumerate(waiting) if not left]
    heapq.heapify(ready)
    ranking = []
    while ready:
        _, index = heapq.heappop(ready)
        ranking.append(index)
        for back in behind[index]:
            waiting[back] -= 1
            if not waiting[back]:
                heapq.heappush(ready, (keys[back], back))
    if len(ranking) != len(keys):
        raise ValueError("the order holds a cycle")
    return ranking


def _edges_in_cycles(edges: Sequence[Edge], count: int) -> dict[int, list[Edge]]:
    """Edges whose two ends lie in one strongly connected component, by component."""
    if not edges:
        return {}
    fronts, backs, _ = zip(*edges, strict=True)
    graph = csr_array((np.ones(len(edges)), (fronts, backs)), shape=(count, count))
    component = connected_components(graph, directed=True, connection="strong")[1]
    groups: dict[int, list[Edge]] = {}
    for edge in edges:
        if component[edge[0]] == component[edge[1]]:
            groups.setdefault(int(component[edge[0]]), []).append(edge)
    return groups


def _tie_key(mask_hw: Mask) -> tuple[float, ...]:
    rows, cols = np.nonzero(mask_hw)
    if rows.size == 0:
        return (0.0, 0.0, 0.0)
    return (float(rows.size), float(rows.mean()), float(cols.mean()))
