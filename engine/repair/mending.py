"""One round of mending: marks to a visible mask, its hidden part, a matte and clean colours, on a crop of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.imaging import box_of
from engine.records import Box, Instance, LayerKind, Mask, Picture, RGBALayer, Scene
from engine.repair.marks import Hidden, Marks, Tool, draw
from engine.repair.segmenter import Segmenter
from engine.stages.completion.hidden_region import hidden_region
from engine.stages.completion.patch_fill import fill
from engine.stages.postprocess.closed_form import ClosedForm
from engine.stages.postprocess.colour import extend

MARGIN_SHARE = 0.15
"""Context around the object and the marks, as a share of the longer side of both, and at least ``MARGIN_PX``."""
MARGIN_PX = 24
RIM_PX = 2
"""Pixels of an object this near its edge are mixed with others and never serve as texture."""
LEAST_PX = 16
"""A mask with fewer pixels is no object."""


class EmptyMask(ValueError):
    """The marks leave nothing of the object."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is mended, all of the photo's size.

    ``cover_hw``: visible pixels of the layers in front. ``backdrop_hwc``: the background layer's colours, or the photo.
    """

    image_hwc: Picture
    old: RGBALayer
    cover_hw: Mask
    backdrop_hwc: Picture


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """The new layer, cut to ``box`` (x0, y0, x1, y1) of the photo and there perhaps at a smaller scale."""

    box: tuple[int, int, int, int]
    layer: RGBALayer


def mend(
    subject: Subject, marks: Marks, segmenter: Segmenter, *, longest_px: int | None = None, seed: int = 0
) -> Mended:
    """The layer as the marks say. ``longest_px`` bounds the size worked at, for previews; ``None`` is full size.

    No marks give the old layer back. The same arguments give the same pixels. Raises ``EmptyMask``.
    """
    x0, y0, x1, y1 = box = _window(subject, marks)
    scale = 1.0 if longest_px is None else min(1.0, longest_px / max(x1 - x0, y1 - y0))
    crop, mask = _cropped(subject, box, scale), marks.mask_hw
    if mask is not None:
        mask = _resized_mask(mask[y0:y1, x0:x1], scale)
    if marks.is_empty:
        return Mended(box, crop.old)
    moved = marks.moved(x0, y0, scale)
    start = crop.old.visible_hw if mask is None else mask
    seen = segmenter.segment(crop.image_hwc, moved.prompt(start), seed)
    # What grew onto an object in front is not seen there, unless a stroke says so itself.
    said, _ = draw(tuple(m for m in moved.strokes if m.tool.is_hint), *seen.shape, is_certain=True)
    seen &= ~crop.cover_hw | start | said
    return Mended(box, _finished(crop, seen, moved, seed))


def at_full_size(mended: Mended, height: int, width: int) -> RGBALayer:
    """A ``Mended`` of full scale laid into a picture of this size; colour extended under alpha 0."""
    x0, y0, x1, y1 = mended.box
    rgba, visible = np.zeros((height, width, 4), np.uint8), np.zeros((height, width), bool)
    rgba[y0:y1, x0:x1] = mended.layer.rgba_hwc
    visible[y0:y1, x0:x1] = mended.layer.visible_hw
    rgba[..., :3] = extend(np.ascontiguousarray(rgba[..., :3]), rgba[..., 3] > 12)
    return RGBALayer(rgba, visible)


def _finished(crop: Subject, seen_hw: Mask, marks: Marks, seed: int) -> RGBALayer:
    height, width = seen_hw.shape
    added, taken = draw(marks.strokes, height, width, is_certain=False)
    sure_in, sure_out = draw(marks.strokes, height, width, is_certain=True)
    painted, _ = draw(tuple(m for m in marks.strokes if m.tool is Tool.PAINT), height, width, is_certain=False)
    # Painting over something in front says that the object goes on behind it; keeping says that it is seen there.
    under = painted & added & crop.cover_hw & ~crop.old.visible_hw
    seen = (seen_hw | added) & ~taken & ~under
    hidden = (_hidden(crop, seen, marks) | under) & ~taken & ~seen
    if np.count_nonzero(seen | hidden) < LEAST_PX:
        raise EmptyMask("Nothing is left of the object.")
    layer = _matted(crop, seen, hidden, seed)
    rgba, visible = layer.rgba_hwc, layer.visible_hw & ~(crop.cover_hw & ~seen)
    rgba[sure_out, 3] = 0
    opaque = sure_in & (seen | hidden)
    rgba[opaque, 3] = 255
    own = opaque & seen
    rgba[own, :3] = crop.image_hwc[own]
    visible = (visible | own) & ~sure_out
    if not (rgba[..., 3] > 127).any():
        raise EmptyMask("Nothing is left of the object.")
    rgba[..., :3] = extend(np.ascontiguousarray(rgba[..., :3]), rgba[..., 3] > 12)
    return RGBALayer(rgba, visible)


def _hidden(crop: Subject, seen_hw: Mask, marks: Marks) -> Mask:
    """The part of the object behind others: the old layer's as far as it hangs on what is seen, or made anew."""
    if marks.hidden is Hidden.AGAIN:
        scene = _scene(crop, seen_hw, marks.box, 0)
        return hidden_region(scene, scene.instances[1])
    old = crop.old.amodal_hw & ~crop.old.visible_hw & ~seen_hw
    _, labels = cv2.connectedComponents((old | seen_hw).astype(np.uint8), connectivity=8)
    return np.asarray(old & np.isin(labels, np.unique(labels[seen_hw])))


def _scene(crop: Subject, seen_hw: Mask, box: Box | None, seed: int) -> Scene:
    """What is in front, then the object. The first is there for the second's sake only and gets no layer."""
    whole = (0.0, 0.0, float(seen_hw.shape[1]), float(seen_hw.shape[0]))
    cover = crop.cover_hw & ~seen_hw
    front = Instance("front", "", LayerKind.FOREGROUND, 1.0, "context", whole, cover, drop_reason="context")
    mended = Instance("mended", "", LayerKind.FOREGROUND, 1.0, "person", box or box_of(seen_hw) or whole, seen_hw)
    return Scene("", crop.image_hwc, seed, instances=[front, mended], in_front=[("front", "mended")])


def _matted(crop: Subject, seen_hw: Mask, hidden_hw: Mask, seed: int) -> RGBALayer:
    """The post-processing stage on that scene, the background behind it."""
    scene = _scene(crop, seen_hw, None, seed)
    front, mended = scene.instances
    mended.amodal_hw = seen_hw | hidden_hw
    mended.completed_hwc = _completed(crop, seen_hw, hidden_hw, seed)
    free = ~(mended.amodal_hw | front.visible_hw)
    behind = Instance("bg", "", LayerKind.BACKGROUND, 1.0, "context", front.box, free)
    behind.amodal_hw, behind.completed_hwc = np.ones_like(free), crop.backdrop_hwc
    scene.instances.append(behind)
    ClosedForm()([scene])
    assert mended.layer is not None
    return mended.layer


def _completed(crop: Subject, seen_hw: Mask, hidden_hw: Mask, seed: int) -> Picture:
    """The photo where the object is seen; behind others the old layer's colours, and texture of its own beyond them."""
    completed = crop.image_hwc.copy()
    known = crop.old.rgba_hwc[..., 3] > 127
    old = hidden_hw & known & ~crop.old.visible_hw
    completed[old] = crop.old.rgba_hwc[old][:, :3]
    new = hidden_hw & ~old
    if new.any():
        rim = np.ones((2 * RIM_PX + 1,) * 2, np.uint8)
        inner = cv2.erode(seen_hw.astype(np.uint8), rim).astype(bool) | old
        texture = inner if inner.any() else seen_hw
        completed[new] = fill(completed, new, texture & ~new, seed)[new]
    return completed


def _window(subject: Subject, marks: Marks) -> tuple[int, int, int, int]:
    """Box of the old layer, the new start and all marks, with a margin, in whole pixels of the photo."""
    height, width = subject.cover_hw.shape
    boxes = [box for box in (box_of(subject.old.rgba_hwc[..., 3] > 0), marks.box) if box is not None]
    if marks.mask_hw is not None:
        boxes.append(box_of(marks.mask_hw) or (0.0, 0.0, 1.0, 1.0))
    for mark in marks.strokes:
        xs, ys = zip(*mark.points, strict=True)
        half = mark.width_px / 2
        boxes.append((min(xs) - half, min(ys) - half, max(xs) + half, max(ys) + half))
    if not boxes:
        return 0, 0, width, height
    x0, y0, x1, y1 = (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )
    margin = max(MARGIN_PX, MARGIN_SHARE * max(x1 - x0, y1 - y0))
    return (
        max(0, int(x0 - margin)),
        max(0, int(y0 - margin)),
        min(width, int(np.ceil(x1 + margin))),
        min(height, int(np.ceil(y1 + margin))),
    )


def _cropped(subject: Subject, box: tuple[int, int, int, int], scale: float) -> Subject:
    x0, y0, x1, y1 = box
    window = np.s_[y0:y1, x0:x1]
    rgba = _resized_picture(subject.old.rgba_hwc[window], scale)
    old = RGBALayer(rgba, _resized_mask(subject.old.visible_hw[window], scale))
    return Subject(
        _resized_picture(subject.image_hwc[window], scale),
        old,
        _resized_mask(subject.cover_hw[window], scale),
        _resized_picture(subject.backdrop_hwc[window], scale),
    )


def _resized_picture(picture_hwc: Picture, scale: float) -> Picture:
    if scale == 1.0:
        return picture_hwc.copy()
    return np.asarray(cv2.resize(picture_hwc, _size(picture_hwc, scale), interpolation=cv2.INTER_AREA), np.uint8)


def _resized_mask(mask_hw: Mask, scale: float) -> Mask:
    if scale == 1.0:
        return mask_hw.copy()
    return cv2.resize(mask_hw.astype(np.float32), _size(mask_hw, scale), interpolation=cv2.INTER_AREA) > 0.5


def _size(array: Picture | Mask, scale: float) -> tuple[int, int]:
    return max(1, round(array.shape[1] * scale)), max(1, round(array.shape[0] * scale))
