"""GrabCut of one prompt (Rother, Kolmogorov and Blake 2004): box, mask or strokes to a visible mask."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import clip_box
from engine.merging import tidy
from engine.records import Box, GivenPrompt, Mask, Picture
from engine.stages.scene.ownership import BINS, colour_bins

PRIOR_BELOW = 0.45
"""Colours with a smaller share inside the box start as probable background."""
FLAT_BELOW = 2.0
"""Standard deviation of a crop with no colour to cut by; the graph cut would search a plateau for a minute."""


@dataclass(frozen=True, slots=True)
class Params:
    iterations: int = 5
    margin: float = 0.2
    """Context around the box whose colours are background, as a share of its longer side."""
    working_px: int = 384
    """Longest side of the crop that is cut; a larger crop is cut smaller and scaled back."""


def cut_out(
    image_hwc: Picture,
    prompt: GivenPrompt,
    seed: int,
    params: Params | None = None,
) -> Mask:
    """The visible mask ``[H,W]`` of one prompt; empty when the prompt has nothing inside the picture.

    A given mask is trusted as it is, strokes applied.
    Keep strokes are always inside, remove strokes never. Where GrabCut finds nothing the ellipse in the box stands in.
    The same arguments give the same mask.
    """
    params = params or Params()
    height, width = image_hwc.shape[:2]
    keep, remove = paint(prompt, height, width)
    if prompt.mask_hw is not None:
        return (prompt.mask_hw | keep) & ~remove
    box = clip_box(prompt.box, width, height) if prompt.box is not None else None
    if box is None:
        return np.zeros((height, width), bool)
    rows, cols = _crop(box, params.margin, height, width)
    trimap = np.full((height, width), cv2.GC_BGD, np.uint8)
    trimap[round(box[1]) : round(box[3]), round(box[0]) : round(box[2])] = cv2.GC_PR_FGD
    trimap[keep] = cv2.GC_FGD
    trimap[remove] = cv2.GC_BGD
    mask = np.zeros((height, width), bool)
    mask[rows, cols] = _grab(image_hwc[rows, cols], trimap[rows, cols], seed, params)
    mask = tidy(mask)
    if not mask.any():
        mask = ellipse(box, height, width)
    return (mask | keep) & ~remove


def paint(prompt: GivenPrompt, height: int, width: int) -> tuple[Mask, Mask]:
    """Keep and remove strokes as masks; where both pass, the later stroke wins."""
    canvas = np.zeros((height, width), np.uint8)
    for stroke in prompt.strokes:
        points = np.rint(np.asarray(stroke.points, np.float64)).astype(np.int32).reshape(-1, 1, 2)
        thickness = max(1, round(stroke.width_px))
        value = 1 if stroke.keep else 2
        if len(points) == 1:
            cv2.circle(canvas, points[0, 0].tolist(), max(1, thickness // 2), value, cv2.FILLED)
        elif len(points):
            cv2.polylines(canvas, [points], False, value, thickness)
    return canvas == 1, canvas == 2


def _grab(crop_hwc: Picture, trimap_hw: Picture, seed: int, params: Params) -> Mask:
    """GrabCut on a crop, at a working size; all background when no foreground is possible or all is flat."""
    size = (crop_hwc.shape[1], crop_hwc.shape[0])
    scale = min(1.0, params.working_px / max(size))
    small, trimap = crop_hwc, trimap_hw.copy()
    if scale < 1.0:
        to = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        small = np.asarray(cv2.resize(crop_hwc, to, interpolation=cv2.INTER_AREA), np.uint8)
        trimap = np.asarray(cv2.resize(trimap, to, interpolation=cv2.INTER_NEAREST), np.uint8)
    possible = _is_possible(trimap)
    if not possible.any() or crop_hwc.std(axis=(0, 1)).max() < FLAT_BELOW:
        return np.zeros(crop_hwc.shape[:2], bool)
    if possible.all():
        trimap = _border_as_background(trimap)
    if not np.isin(trimap, (cv2.GC_BGD, cv2.GC_PR_BGD)).any() or not _is_possible(trimap).any():
        return np.ones(crop_hwc.shape[:2], bool)
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    bgr = np.ascontiguousarray(small[..., ::-1])
    unlikely = (trimap == cv2.GC_PR_FGD) & (inside_likelihood(small, _is_possible(trimap)) < PRIOR_BELOW)
    if unlikely.sum() < 0.9 * _is_possible(trimap).sum():
        trimap[unlikely] = cv2.GC_PR_BGD
    whole = (0, 0, trimap.shape[1], trimap.shape[0])
    behind, front = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(bgr, trimap, whole, behind, front, params.iterations, cv2.GC_INIT_WITH_MASK)
    found = _is_possible(trimap).astype(np.float32)
    if scale < 1.0:
        found = np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return found > 0.5


def inside_likelihood(image_hwc: Picture, possible_hw: Mask) -> NDArray[np.float32]:
    """Probability ``[H,W]`` 0..1 that a colour is of the inside, from Lab histograms inside and around.

    GrabCut starts with the whole box as foreground and learns the background seen in it as such; starting from this
    map, background that repeats around the box is on the right side from the first iteration.
    """
    bins = colour_bins(image_hwc)
    inside = np.bincount(bins[possible_hw], minlength=BINS**3) / max(1, int(possible_hw.sum()))
    around = np.bincount(bins[~possible_hw], minlength=BINS**3) / max(1, int((~possible_hw).sum()))
    share = (inside / np.maximum(inside + around, 1e-9))[bins].astype(np.float32)
    return np.asarray(cv2.GaussianBlur(share, (0, 0), 2.0), np.float32)


def _is_possible(trimap_hw: Picture) -> Mask:
    return np.asarray(np.isin(trimap_hw, (cv2.GC_FGD, cv2.GC_PR_FGD)))


def _crop(box: Box, margin: float, height: int, width: int) -> tuple[slice, slice]:
    room = margin * max(box[2] - box[0], box[3] - box[1]) + 8
    rows = slice(int(max(0, box[1] - room)), int(min(height, box[3] + room)))
    cols = slice(int(max(0, box[0] - room)), int(min(width, box[2] + room)))
    return rows, cols


def _border_as_background(trimap_hw: Picture) -> Picture:
    """A box over the whole picture leaves no background to learn from: take a thin probable rim."""
    rim = max(1, round(0.03 * min(trimap_hw.shape)))
    out = trimap_hw.copy()
    inner = np.zeros(out.shape, bool)
    inner[rim:-rim, rim:-rim] = True
    out[~inner & (out == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
    return out


def ellipse(box: Box, height: int, width: int) -> Mask:
    """The ellipse that fills a box: a guess where nothing tells the object from its surroundings."""
    out = np.zeros((height, width), np.uint8)
    centre = ((box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5)
    cv2.ellipse(out, (centre, (box[2] - box[0], box[3] - box[1]), 0.0), 1, cv2.FILLED)
    return out.astype(bool)
