"""All given boxes of a picture cut out together: every pixel goes to one object or to the background.

Boxes of objects that hide each other overlap. Cut one by one, each takes its neighbour in; together, what lies in two
boxes goes to the one whose colours it has. Like GrabCut (Rother, Kolmogorov and Blake 2004) it answers, learns the
colours of its answer and answers again, with any number of labels, and with evidence from the boxes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.imaging import box_to_mask, clip_box, union
from engine.logit import Floats, weigh
from engine.merging import tidy
from engine.records import Box, Mask, Picture
from engine.stages.scene import potts
from engine.stages.scene.box_evidence import AGAIN, FIRST, Claim, first_look, second_look
from engine.stages.scene.grabcut import ellipse

Window = tuple[slice, slice]

_FORBIDDEN = 50.0
_SURE = 6.0
"""Log-odds beyond which evidence says no more."""

_LEAST_SHARE = 0.02
"""A mask with less of its box is no answer: somebody drew that box around something."""


@dataclass(frozen=True, slots=True)
class Params:
    rounds: int = 4
    """Answers, the first from the boxes alone."""
    margin: float = 0.35
    """Surroundings that are looked at, in longer sides of the largest box of a group."""
    working_px: int = 256
    """Longest side of the crop that is cut; a larger crop is cut smaller and scaled back."""
    border: float = 2.0
    """Price of one pixel of outline where nothing changes, in log-odds."""
    steps: int = 60


def cut_out_all(image_hwc: Picture, boxes: Sequence[Box], taken_hw: Mask, params: Params | None = None) -> list[Mask]:
    """Disjoint visible masks ``[H,W]`` of all boxes, in their order; pixels of ``taken_hw`` are nobody's.

    Where hardly anything of a box is left for it the ellipse in the box joins in; a box with nothing inside the picture
    gets an empty mask.
    """
    params = params or Params()
    height, width = image_hwc.shape[:2]
    masks = [np.zeros((height, width), bool) for _ in boxes]
    inside = {k: clipped for k, box in enumerate(boxes) if (clipped := clip_box(box, width, height)) is not None}
    claims = {k: Claim(box, box_to_mask(box, height, width) & ~taken_hw) for k, box in inside.items()}
    for group in groups(inside):
        for k, mask in zip(group, _cut_group(image_hwc, [claims[k] for k in group], params), strict=True):
            masks[k] = mask
    return masks


def groups(boxes: dict[int, Box]) -> list[list[int]]:
    """Keys of boxes that overlap, directly or through others; each group is cut on a crop of its own."""
    groups: list[list[int]] = []
    for key, box in boxes.items():
        touching = [group for group in groups if any(_overlap(box, boxes[other]) for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append(sorted([key, *(other for group in touching for other in group)]))
    return sorted(groups)


def _overlap(a: Box, b: Box) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def _cut_group(image_hwc: Picture, claims: Sequence[Claim], params: Params) -> list[Mask]:
    window, small, small_claims = crop(image_hwc, claims, params)
    height, width = image_hwc[window].shape[:2]
    shares = _answer(small, small_claims, params)
    full = [cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR) for share in shares]
    owner = np.argmax(full, axis=0)
    masks = []
    for k, claim in enumerate(claims):
        mask = np.zeros(image_hwc.shape[:2], bool)
        mask[window] = owner == k
        masks.append(tidy(mask & claim.possible))
    return [_or_ellipse(mask, claim, union(masks, *mask.shape)) for mask, claim in zip(masks, claims, strict=True)]


def crop(image_hwc: Picture, claims: Sequence[Claim], params: Params) -> tuple[Window, Picture, list[Claim]]:
    """Rows and columns around the claims, the picture there at working size, and the claims on it."""
    window = _window([claim.box for claim in claims], params.margin, *image_hwc.shape[:2])
    height, width = image_hwc[window].shape[:2]
    scale = min(1.0, params.working_px / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(image_hwc[window], size, interpolation=cv2.INTER_AREA), np.uint8)
    return window, small, [claim.on(window, size) for claim in claims]


def _answer(image_hwc: Picture, claims: Sequence[Claim], params: Params) -> Floats:
    """Share ``[L+1,H,W]`` of every claim, and last of the background, in each pixel."""
    prices = potts.contrast(image_hwc)
    first = [weigh(look, FIRST) for look in first_look(image_hwc, claims)]
    shares = potts.shares(costs(claims, first), prices, params.border, params.steps)
    for _ in range(params.rounds - 1):
        again = [weigh(look, AGAIN) for look in second_look(image_hwc, claims, shares, first)]
        shares = potts.shares(costs(claims, again), prices, params.border, params.steps)
    return shares


def costs(claims: Sequence[Claim], evidence: Sequence[Floats]) -> Floats:
    """Price of each label in each pixel; the background, last, is free."""
    prices = np.zeros((len(claims) + 1, *evidence[0].shape), np.float32)
    for k, (claim, odds) in enumerate(zip(claims, evidence, strict=True)):
        prices[k] = np.where(claim.possible, -np.clip(odds, -_SURE, _SURE), _FORBIDDEN)
    return prices


def _or_ellipse(mask_hw: Mask, claim: Claim, taken_hw: Mask) -> Mask:
    x0, y0, x1, y1 = claim.box
    if np.count_nonzero(mask_hw) >= _LEAST_SHARE * (x1 - x0) * (y1 - y0):
        return mask_hw
    return mask_hw | (ellipse(claim.box, *mask_hw.shape) & claim.possible & ~taken_hw)


def _window(boxes: Sequence[Box], margin: float, height: int, width: int) -> Window:
    """Rows and columns of all boxes with their surroundings."""
    x0, y0, x1, y1 = (pick(side) for pick, side in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
    room = margin * max(max(b[2] - b[0], b[3] - b[1]) for b in boxes) + 8
    rows = slice(int(max(0, y0 - room)), int(min(height, y1 + room)))
    return rows, slice(int(max(0, x0 - room)), int(min(width, x1 + room)))
