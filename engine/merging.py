"""From many overlapping detections to few objects with disjoint visible masks. Pure geometry, no picture.

Order of use: ``merge_duplicates``, ``drop_groups``, ``drop_parts``, ``make_disjoint``, ``tidy``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import containment, iou
from engine.labels import Vote, belief, elect
from engine.records import Box, GivenPrompt, Mask

Alike = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One candidate object: ``mask_hw`` bool of the picture's size, ``score`` 0..1, ``source`` as in ``Instance``."""

    label: str
    score: float
    source: str
    box: Box
    mask_hw: Mask
    given: GivenPrompt | None = None
    votes: tuple[Vote, ...] = ()
    """Of networks: who saw it and as what. Empty for sources that do not vote."""


def by_score(detections: Sequence[Detection]) -> list[Detection]:
    """Best first; equal scores larger first, then by box, so the order of the input never matters."""
    return sorted(detections, key=lambda d: (-d.score, -np.count_nonzero(d.mask_hw), d.box, d.label))


def merge_duplicates(detections: Sequence[Detection], iou_above: float = 0.7) -> list[Detection]:
    """Pool detections of one object: the best keeps its mask, and agreement of other sources raises its score.

    Two sources agree as independent witnesses do: ``1 - (1 - a)(1 - b)``. A pooled detection of several sources
    has source ``merged``. The generic label ``object`` gives way to a name.
    """
    kept: list[Detection] = []
    for new in by_score(detections):
        twin = next((k for k, old in enumerate(kept) if iou(old.mask_hw, new.mask_hw) > iou_above), None)
        if twin is None:
            kept.append(new)
            continue
        old = kept[twin]
        if old.votes and new.votes:
            kept[twin] = pooled(old, new)
            continue
        label = new.label if old.label == "object" else old.label
        if old.source == new.source:
            kept[twin] = replace(old, label=label)
        else:
            score = 1.0 - (1.0 - old.score) * (1.0 - new.score)
            kept[twin] = replace(old, label=label, score=score, source="merged")
    return by_score(kept)


def pooled(old: Detection, new: Detection) -> Detection:
    """The mask of ``old`` with the votes of both: they elect the label and say together how sure it is."""
    votes = (*old.votes, *new.votes)
    source = old.source if old.source == new.source else "merged"
    return replace(old, label=elect(votes)[0], score=belief(votes), source=source, votes=votes)


def drop_groups(
    detections: Sequence[Detection],
    covered_above: float = 0.9,
    part_below: float = 0.7,
    alike: Alike = operator.eq,
) -> list[Detection]:
    """Drop a mask that is only several separate objects of the same label (``alike``) taken together.

    Those are at least two, disjoint (overlap under a tenth of the smaller), each under ``part_below`` of the group,
    and together they cover more than ``covered_above`` of it.
    """
    kept = []
    for group in detections:
        size = np.count_nonzero(group.mask_hw)
        members: list[Mask] = []
        for other in by_score(detections):
            mask = other.mask_hw
            if other is group or not alike(other.label, group.label) or np.count_nonzero(mask) >= part_below * size:
                continue
            apart = all(max(containment(mask, m), containment(m, mask)) < 0.1 for m in members)
            if containment(mask, group.mask_hw) > covered_above and apart:
                members.append(mask)
        covered = np.count_nonzero(np.logical_or.reduce(members) & group.mask_hw) if len(members) > 1 else 0
        if covered <= covered_above * size:
            kept.append(group)
    return kept


def drop_parts(
    detections: Sequence[Detection],
    inside_above: float = 0.85,
    area_below: float = 0.6,
    can_be_part: Alike | None = None,
) -> list[Detection]:
    """Keep the whole, drop its part: a smaller mask that lies inside a larger one of which it may be a part.

    ``can_be_part`` is asked with the smaller one's label first; by default the same or generic label, or a face of a
    person. Two different names are two objects: a cup on a table stays.
    """
    can_be_part = can_be_part or _can_be_part
    kept = []
    for part in detections:
        size = np.count_nonzero(part.mask_hw)
        wholes = (
            whole
            for whole in detections
            if whole is not part
            and size < area_below * np.count_nonzero(whole.mask_hw)
            and containment(part.mask_hw, whole.mask_hw) > inside_above
            and can_be_part(part.label, whole.label)
        )
        if next(wholes, None) is None:
            kept.append(part)
    return kept


def _can_be_part(part: str, whole: str) -> bool:
    return part == whole or "object" in (part, whole) or (part, whole) == ("face", "person")


def make_disjoint(masks: Sequence[Mask], owner_hw: NDArray[np.intp], least_left: float = 0.2) -> list[Mask]:
    """Give every pixel claimed by several masks to one of them.

    ``owner_hw`` ``[H,W]``: index of the preferred claimant. Where that one does not claim the pixel, the smallest
    claimant gets it. A mask left with less than ``least_left`` of its pixels gets them all back, smallest first:
    a small thing on a large one is seen, while the reverse leaves nothing of it.
    """
    claims = np.zeros(owner_hw.shape, np.int32)
    for mask in masks:
        claims += mask
    contested = claims > 1
    sizes = [int(mask.sum()) for mask in masks]
    smallest_first = sorted(range(len(masks)), key=lambda k: (sizes[k], k))
    parts = [mask & (~contested | (owner_hw == k)) for k, mask in enumerate(masks)]
    starved = {k for k, part in enumerate(parts) if part.sum() < least_left * sizes[k]}
    taken = np.zeros(owner_hw.shape, bool)
    for k in smallest_first:
        if k in starved:
            parts[k] = masks[k] & ~taken
            taken |= parts[k]
    for k in smallest_first:
        if k not in starved:
            parts[k] &= ~taken
    for part in parts:
        taken |= part
    for k in smallest_first:
        parts[k] |= masks[k] & ~taken
        taken |= parts[k]
    return parts


def give_to_front(claims: Sequence[Mask], parts: Sequence[Mask], in_front: Sequence[tuple[int, int]]) -> list[Mask]:
    """Disjoint ``parts`` of the ``claims``, each pixel that two of them claim moved to the one in front.

    ``in_front``: (front, behind) pairs, those that are sure. A part that would be left with nothing keeps its pixels.
    """
    out = [part.copy() for part in parts]
    for front, behind in in_front:
        moved = out[behind] & claims[front]
        if moved.any() and np.count_nonzero(moved) < np.count_nonzero(out[behind]):
            out[behind] &= ~moved
            out[front] |= moved
    return out


def tidy(mask_hw: Mask, taken_hw: Mask | None = None, share: float = 0.02, least_px: int = 16) -> Mask:
    """Remove islands and fill holes smaller than ``share`` of the object, and at least ``least_px``.

    The largest island always stays. Pixels of ``taken_hw`` (other objects) are never filled, so a hole through
    which another object shows stays open there.
    """
    if not mask_hw.any():
        return mask_hw.copy()
    bound = max(least_px, share * np.count_nonzero(mask_hw))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask_hw.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    keep = areas >= bound
    keep[np.argmax(areas)] = True
    kept = keep[labels]
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < bound
    small[0] = False
    holes = small[labels]
    if taken_hw is not None:
        holes &= ~taken_hw
    return kept | holes
