"""GrabCut (Rother, Kolmogorov and Blake 2004) made interactive: a stroke changes what it touches, and no more.

After *Paint Selection* (Liu, Sun and Shum 2009): a stroke brings the colours under it into play, the graph is cut near
it, and of the cut only the pieces that hang on a stroke are taken. The rest of the mask stays as the person left it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of
from engine.merging import tidy
from engine.records import GivenPrompt, Mask, Picture
from engine.stages.scene import grabcut
from engine.stages.scene.ownership import BINS, colour_bins

WORKING_PX = 384
"""Longest side of the crop that is cut; a larger crop is cut smaller and scaled back."""
ITERATIONS = 2
REACH_WIDTHS = 6.0
"""A stroke changes pixels up to this many of its widths away, or as far as it is long."""
LIKELY = 0.6
"""Colours that are this much more of the stroke than of the other side start on the stroke's side."""
SMOOTH_BINS = 1.0
CRUMB = 0.002
"""Share of the object below which a piece or a hole is a crumb."""


class GrabCut:
    """A ``Segmenter`` without weights."""

    def segment(self, image_hwc: Picture, prompt: GivenPrompt, seed: int = 0) -> Mask:
        start = prompt.mask_hw
        if prompt.box is not None:
            start = grabcut.cut_out(image_hwc, GivenPrompt("", prompt.box, None, prompt.strokes), seed)
        if start is None:
            start = np.zeros(image_hwc.shape[:2], bool)
        keep, remove = grabcut.paint(prompt, *start.shape)
        if not keep.any() and not remove.any():
            return start.copy()
        return (_corrected(image_hwc, start, keep, remove, seed) | keep) & ~remove


def _corrected(image_hwc: Picture, start_hw: Mask, keep_hw: Mask, remove_hw: Mask, seed: int) -> Mask:
    near = _reach(keep_hw) | _reach(remove_hw)
    x0, y0, x1, y1 = (int(v) for v in box_of(near) or (0, 0, 0, 0))
    window = np.s_[y0:y1, x0:x1]
    height, width = y1 - y0, x1 - x0
    scale = min(1.0, WORKING_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))

    def small(mask_hw: Mask) -> Mask:
        """A pixel that a thin stroke only grazes still counts."""
        return cv2.resize(mask_hw[window].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.25

    picture = np.asarray(cv2.resize(image_hwc[window], size, interpolation=cv2.INTER_AREA), np.uint8)
    start, keep, remove = small(start_hw), small(keep_hw), small(remove_hw)
    cut = _cut(picture, start, keep, remove & ~keep, small(near), seed)
    grown = cv2.resize(cut.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    before = start_hw[window]
    added = _hanging_on(grown & ~before & near[window], keep_hw[window])
    taken = _hanging_on(before & ~grown & near[window], remove_hw[window])
    out = start_hw.copy()
    out[window] = (before | added) & ~taken
    return _without_crumbs(out, start_hw)


def _cut(picture_hwc: Picture, start_hw: Mask, keep_hw: Mask, remove_hw: Mask, near_hw: Mask, seed: int) -> Mask:
    bins = colour_bins(picture_hwc)
    inside = start_hw & ~remove_hw
    outside = ~start_hw & ~keep_hw
    trimap = np.where(start_hw, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    like_keep = _likelihood(bins, keep_hw & ~start_hw, outside)
    like_remove = _likelihood(bins, remove_hw & start_hw, inside)
    trimap[~start_hw & (like_keep > LIKELY)] = cv2.GC_PR_FGD
    trimap[start_hw & (like_remove > LIKELY)] = cv2.GC_PR_BGD
    trimap[~near_hw] = np.where(start_hw, cv2.GC_FGD, cv2.GC_BGD)[~near_hw]
    trimap[keep_hw], trimap[remove_hw] = cv2.GC_FGD, cv2.GC_BGD
    front = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if front.all() or not front.any() or picture_hwc.std(axis=(0, 1)).max() < grabcut.FLAT_BELOW:
        return front
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    bgr = np.ascontiguousarray(picture_hwc[..., ::-1])
    whole = (0, 0, trimap.shape[1], trimap.shape[0])
    cv2.grabCut(bgr, trimap, whole, np.zeros((1, 65)), np.zeros((1, 65)), ITERATIONS, cv2.GC_INIT_WITH_MASK)
    return np.asarray(np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD)))


def _likelihood(bins: NDArray[np.intp], under_hw: Mask, against_hw: Mask) -> NDArray[np.float32]:
    """0..1: how much more a pixel's colour is one under the stroke than one of the side it is taken from."""
    if not under_hw.any():
        return np.zeros(bins.shape, np.float32)
    under, against = (_histogram(bins[mask]) for mask in (under_hw, against_hw))
    return np.asarray((under / (under + against + 1e-9))[bins], np.float32)


def _histogram(bins: NDArray[np.intp]) -> NDArray[np.float64]:
    counts = np.bincount(bins, minlength=BINS**3).astype(np.float64).reshape(BINS, BINS, BINS)
    for axis in range(3):
        counts = counts + SMOOTH_BINS / 2 * (np.roll(counts, 1, axis) + np.roll(counts, -1, axis))
    return counts.ravel() / max(1.0, counts.sum())


def _reach(stroke_hw: Mask) -> Mask:
    """Where a stroke may change the mask."""
    box = box_of(stroke_hw)
    if box is None:
        return stroke_hw
    width_px = 2 * float(cv2.distanceTransform(np.pad(stroke_hw.astype(np.uint8), 1), cv2.DIST_L2, 3).max())
    reach = max(REACH_WIDTHS * width_px, float(np.hypot(box[2] - box[0], box[3] - box[1])))
    return np.asarray(cv2.distanceTransform((~stroke_hw).astype(np.uint8), cv2.DIST_L2, 3) <= reach)


def _hanging_on(change_hw: Mask, stroke_hw: Mask) -> Mask:
    """The pieces of a change that a stroke touches."""
    if not stroke_hw.any() or not change_hw.any():
        return np.zeros(change_hw.shape, bool)
    _, labels = cv2.connectedComponents((change_hw | stroke_hw).astype(np.uint8), connectivity=4)
    touched = np.unique(labels[stroke_hw])
    return np.asarray(np.isin(labels, touched)) & change_hw


def _without_crumbs(mask_hw: Mask, start_hw: Mask) -> Mask:
    """Fill pinholes and drop specks, but not those that were there before: they may be meant."""
    clean, old = tidy(mask_hw, share=CRUMB), tidy(start_hw, share=CRUMB)
    return np.where(old == start_hw, clean, mask_hw)
