"""What a prompt says about every pixel, in closed form: the input maps of the mask network.

A network from scratch would need many thousands of steps to find what colour histograms, a flood stopped by edges and
GrabCut say at once. All maps are float32 ``[S,S]``, about -1..1, for a picture and a prompt of the core's size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from engine.imaging import box_of, box_to_mask, clip_box
from engine.records import Box, Mask, Picture, Prompt, PromptKind
from training.reflayer.tiny.grabcut_evidence import Start, evidence

Floats = NDArray[np.float32]

FIRST_LOOK = (
    "red",
    "green",
    "blue",
    "box",
    "mask",
    "point",
    "background",
    "colour",
    "colour_near",
    "colour_distance",
    "flood_inside",
    "flood_outside",
    "across",
    "along",
    "grabcut",
    "grabcut_colour",
)
SECOND_LOOK = ("is_second", "alpha", "visible", "hull", "colour_again", "hidden_hull")
"""What the second pass sees besides: zero in the first."""
CHANNELS = len(FIRST_LOOK) + len(SECOND_LOOK)

_BINS = 12
_FLOOD_PX = 64
_FLOOD_STEPS = 44
_FLOOD_DECAY = 6.0
POINT_SIGMA = 0.03
"""Of the side: how far around a point its colour is taken to be the object's."""
_FAR_SHARE = 0.35
"""Of the side: from a point on, how far the surroundings count more and more as something else."""
_RIM_SHARE = 0.06
_POINT_START, _POINT_REACH = 0.2, 0.11
"""Of the side: how far from a point GrabCut starts with the object; how far beyond the prompt's extent it looks."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Where a prompt says the object is and is not: weights ``[S,S]`` 0..1, and the extent of the prompt."""

    inside: Floats
    core: Floats
    """The part of ``inside`` to rely on most."""
    outside: Floats
    near: Floats
    """``outside``, only around the prompt."""
    extent: Box
    sure: Mask
    """Where a flood of the object starts."""


def _heat(points: tuple[tuple[float, float], ...], side: int, sigma: float) -> Floats:
    heat = np.zeros((side, side), np.float32)
    at = np.arange(side, dtype=np.float32) + 0.5
    for x, y in points:
        rows, columns = (np.exp(-((at - centre) ** 2) / (2 * sigma**2)) for centre in (y, x))
        np.maximum(heat, rows[:, None] * columns[None, :], out=heat)
    return heat


def _rim(side: int) -> Floats:
    rim = np.ones((side, side), np.float32)
    wide = max(2, round(_RIM_SHARE * side))
    rim[wide:-wide, wide:-wide] = 0
    return rim


def _bell(box: Box, side: int) -> Floats:
    """A Gaussian that fills a box: one in its middle, a seventh on its sides."""
    at = np.arange(side, dtype=np.float32) + 0.5
    x, y = ((at - (low + high) / 2) / max(1.0, (high - low) / 2) for low, high in ((box[0], box[2]), (box[1], box[3])))
    return np.exp(-2 * (x[None, :] ** 2 + y[:, None] ** 2)).astype(np.float32)


def _around(region_hw: Mask, reach_px: float) -> Floats:
    """1 within ``reach_px`` outside a region."""
    distance = cv2.distanceTransform((~region_hw).astype(np.uint8), cv2.DIST_L2, 5)
    return ((distance > 1.5) & (distance <= reach_px)).astype(np.float32)


def regions(prompt: Prompt, side: int) -> Regions:
    """Where to look for the object of ``prompt``. Masks win over boxes, boxes over points, points mark the core."""
    if prompt.kind is PromptKind.BACKGROUND:
        frame = (0.0, 0.0, float(side), float(side))
        rim = _rim(side)
        bell = _bell(frame, side)
        return Regions(1 - rim, bell, rim, rim, frame, bell > 0.8)
    heat = _heat(prompt.points, side, POINT_SIGMA * side)
    box = clip_box(prompt.box, side, side) if prompt.box is not None else None
    if prompt.mask_hw is not None and prompt.mask_hw.any():
        mask = prompt.mask_hw
        extent = box or box_of(mask) or (0.0, 0.0, float(side), float(side))
        solid = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        solid = solid if solid.any() else mask
        near = _around(mask, 0.15 * side)
        return Regions(mask.astype(np.float32), solid.astype(np.float32), 1.0 - mask, near, extent, solid)
    if box is not None:
        inside = box_to_mask(box, side, side)
        core = np.maximum(_bell(box, side) * inside, heat)
        sure = heat > 0.6 if prompt.points else core > 0.75
        beyond = (~inside).astype(np.float32)
        reach = 0.35 * max(box[2] - box[0], box[3] - box[1]) + 3
        if np.count_nonzero(beyond) < 2 * side:
            beyond = np.maximum(beyond, _rim(side))
        ring = _around(inside, reach)
        return Regions(inside.astype(np.float32), core, beyond, ring if ring.any() else beyond, box, sure)
    disc = _heat(prompt.points, side, 2 * POINT_SIGMA * side)
    far = 1 - _heat(prompt.points, side, _FAR_SHARE * side)
    near = np.clip(1 - _heat(prompt.points, side, 0.15 * side) - 0.3 * far, 0, 1)
    xs, ys = zip(*prompt.points, strict=True)
    reach = 0.2 * side
    extent = (min(xs) - reach, min(ys) - reach, max(xs) + reach, max(ys) + reach)
    return Regions(disc, heat, far, near, extent, heat > 0.6)


def colour_bins(image_hwc: Picture) -> NDArray[np.intp]:
    """Index of each pixel's colour in a ``_BINS`` cubed Lab histogram."""
    lab = cv2.cvtColor(image_hwc, cv2.COLOR_RGB2LAB).astype(np.float32)
    # Most pictures use the middle half of the colour axes only.
    chroma = np.clip((lab[..., 1:] - 128) * 1.8 + 128, 0, 255)
    scaled = np.concatenate([lab[..., :1], chroma], axis=-1) * (_BINS / 256)
    index = np.minimum(scaled.astype(np.intp), _BINS - 1)
    return np.asarray((index[..., 0] * _BINS + index[..., 1]) * _BINS + index[..., 2], np.intp)


def colour_ratio(bins_hw: NDArray[np.intp], inside: Floats, outside: Floats) -> Floats:
    """How much likelier each pixel's colour is inside than outside, from smoothed histograms: log ratio, -1..1."""

    def density(weight: Floats) -> Floats:
        counts = np.bincount(bins_hw.ravel(), weight.ravel(), _BINS**3).reshape(_BINS, _BINS, _BINS)
        smooth = gaussian_filter(counts, 0.8, mode="nearest", truncate=2.5)
        return np.asarray((smooth / max(1e-6, float(counts.sum()))).ravel(), np.float32)

    ratio = np.log((density(inside) + 2e-4) / (density(outside) + 2e-4))[bins_hw]
    return np.asarray(cv2.GaussianBlur(np.clip(ratio / 5, -1, 1).astype(np.float32), (0, 0), 0.8), np.float32)


def _conductance(image_hwc: Picture) -> Floats:
    """How easily a flood passes each pixel of ``_FLOOD_PX`` squared, 0..1: little where colours change."""
    small = cv2.resize(image_hwc, (_FLOOD_PX, _FLOOD_PX), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    across, along = (cv2.Sobel(lab, cv2.CV_32F, *way, scale=0.25) for way in ((1, 0), (0, 1)))
    slope = np.sqrt((across**2 + along**2).sum(-1))
    usual = float(np.median(slope))
    return np.exp(-np.maximum(slope - usual - 1.0, 0) / (_FLOOD_DECAY + usual)).astype(np.float32)


def _flood(start_hw: Floats, conductance: Floats, side: int) -> Floats:
    """From where ``start_hw`` is set, outwards; weaker with every edge that is crossed."""
    level = cv2.resize(start_hw, (_FLOOD_PX, _FLOOD_PX), interpolation=cv2.INTER_AREA)
    level = np.maximum((level > 0.5).astype(np.float32), level)
    ways = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.ones((3, 3), np.uint8)
    passes = conductance * 0.995
    for step in range(_FLOOD_STEPS):
        level = np.maximum(level, cv2.dilate(level, ways[step % 2]) * passes)
    return np.asarray(cv2.resize(level, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def _far_off(prompt: Prompt, where: Regions, side: int) -> Floats:
    """Where a flood of what is not the object starts: outside a box or mask, at the frame for points."""
    if prompt.box is None and (prompt.mask_hw is None or not prompt.mask_hw.any()):
        return _rim(side) * (where.outside > 0.3)
    return (where.outside > 0.9).astype(np.float32)


def _start_of_cut(prompt: Prompt, where: Regions, colour_near: Floats) -> Start:
    """How GrabCut is started for a prompt: what is sure, what probable. Points start from colours like theirs."""
    side = colour_near.shape[0]
    if prompt.kind is PromptKind.BACKGROUND:
        return Start(np.zeros((side, side), bool), where.inside > 0.5, _rim(side) > 0, where.extent)
    if prompt.mask_hw is not None and prompt.mask_hw.any():
        return Start(where.sure, prompt.mask_hw, where.near > 0, where.extent)
    if clip_box(prompt.box, side, side) if prompt.box is not None else None:
        inside = where.inside > 0.5
        return Start((where.core > 0.9) & where.sure, inside, ~inside | _rim_if_full(inside), where.extent)
    x0, y0, x1, y1 = where.extent
    window = (x0 - _POINT_REACH * side, y0 - _POINT_REACH * side, x1 + _POINT_REACH * side, y1 + _POINT_REACH * side)
    near = _heat(prompt.points, side, _POINT_START * side) > np.exp(-0.5)
    sure = _heat(prompt.points, side, 1.0) > np.exp(-4.5)
    return Start(sure, near & (colour_near > 0.1), _rim(side) > 0, window)


def _rim_if_full(inside: Mask) -> Mask:
    """A thin rim as background where the box leaves none."""
    rim = np.zeros_like(inside)
    if np.count_nonzero(~inside) < inside.shape[0]:
        rim[[0, -1]] = rim[:, [0, -1]] = True
    return rim


def first_look(image_hwc: Picture, prompt: Prompt, seed: int = 0) -> Floats:
    """``[16,S,S]`` maps in the order of ``FIRST_LOOK`` for a square uint8 picture and a prompt in its pixels."""
    side = image_hwc.shape[0]
    where = regions(prompt, side)
    bins = colour_bins(image_hwc)
    conductance = _conductance(image_hwc)
    picture = image_hwc.astype(np.float32) / 127.5 - 1
    weight = where.core / max(1e-6, float(where.core.sum()))
    middle = (picture * weight[..., None]).sum(axis=(0, 1))
    at = np.arange(side, dtype=np.float32) + 0.5
    x0, y0, x1, y1 = where.extent
    across = np.clip((at - (x0 + x1) / 2) / max(2.0, x1 - x0), -1.5, 1.5)
    along = np.clip((at - (y0 + y1) / 2) / max(2.0, y1 - y0), -1.5, 1.5)
    colour_near = colour_ratio(bins, where.core, where.near)
    cut, cut_colour = evidence(image_hwc, _start_of_cut(prompt, where, colour_near), seed)
    nothing = np.zeros((side, side), np.float32)
    box = clip_box(prompt.box, side, side) if prompt.box is not None else None
    is_background = prompt.kind is PromptKind.BACKGROUND
    maps = {
        "box": nothing if box is None else box_to_mask(box, side, side),
        "mask": nothing if prompt.mask_hw is None else prompt.mask_hw,
        "point": _heat(prompt.points, side, POINT_SIGMA * side),
        "background": np.full((side, side), float(is_background), np.float32),
        "colour": colour_ratio(bins, where.inside, where.outside),
        "colour_near": colour_near,
        "colour_distance": np.sqrt(((picture - middle) ** 2).sum(-1)) / 1.5,
        "flood_inside": _flood(where.sure.astype(np.float32), conductance, side),
        "flood_outside": _flood(_far_off(prompt, where, side), conductance, side),
        "across": np.broadcast_to(across[None, :], (side, side)),
        "along": np.broadcast_to(along[:, None], (side, side)),
        "grabcut": cut,
        "grabcut_colour": cut_colour,
    }
    return np.concatenate([picture.transpose(2, 0, 1), np.stack([maps[n] for n in FIRST_LOOK[3:]])]).astype(np.float32)


def hull(mask_hw: Mask) -> Mask:
    """The filled convex hull of a mask."""
    points = cv2.findNonZero(mask_hw.astype(np.uint8))
    out = np.zeros(mask_hw.shape, np.uint8)
    if points is not None:
        cv2.fillConvexPoly(out, cv2.convexHull(points), 1)
    return out.astype(bool)


def second_look(image_hwc: Picture, alpha_hw: Floats, visible_hw: Floats) -> Floats:
    """``[6,S,S]`` maps in the order of ``SECOND_LOOK`` from a first answer: alpha and visible share, both 0..1."""
    seen = visible_hw > 0.5
    bins = colour_bins(image_hwc)
    around = hull(seen)
    return np.stack(
        [
            np.ones_like(alpha_hw),
            alpha_hw,
            visible_hw,
            around,
            colour_ratio(bins, visible_hw, 1 - alpha_hw),
            around & ~seen,
        ]
    ).astype(np.float32)
