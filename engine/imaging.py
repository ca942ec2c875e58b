"""Straight-alpha compositing, mask codecs, PNG and digests. Arrays as in ``engine.records``."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.records import Box, Mask, Picture


class RLE(TypedDict):
    """COCO's uncompressed run lengths: column-major, the first run counts zeros."""

    size: list[int]
    counts: list[int]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def composite(rgba_hwc: Picture, below_hwc: Picture) -> Picture:
    """Lay one straight-alpha layer over an opaque picture (Porter and Duff 1984, *over*); rounds once."""
    alpha = rgba_hwc[..., 3:].astype(np.float32) / 255.0
    out = rgba_hwc[..., :3] * alpha + below_hwc * (1.0 - alpha)
    return np.rint(out).astype(np.uint8)


def flatten(layers: Sequence[Picture], canvas_rgb: tuple[int, int, int] = (0, 0, 0)) -> Picture:
    """Composite RGBA layers given front to back over a plain canvas, in float, rounded once at the end."""
    if not layers:
        raise ValueError("flatten needs at least one layer")
    out = np.empty((*layers[0].shape[:2], 3), np.float32)
    out[:] = canvas_rgb
    for rgba in reversed(layers):
        box = box_of(rgba[..., 3] > 0)
        if box is None:
            continue
        x0, y0, x1, y1 = (int(side) for side in box)
        window = rgba[y0:y1, x0:x1]
        alpha = window[..., 3:].astype(np.float32) / 255.0
        out[y0:y1, x0:x1] = window[..., :3] * alpha + out[y0:y1, x0:x1] * (1.0 - alpha)
    return np.rint(out).astype(np.uint8)


def mask_to_rle(mask_hw: Mask) -> RLE:
    flat = np.asarray(mask_hw, bool).ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    counts = np.diff(bounds).tolist()
    if flat.size and flat[0]:
        counts = [0, *counts]
    return {"size": [int(mask_hw.shape[0]), int(mask_hw.shape[1])], "counts": counts}


def rle_to_mask(rle: RLE) -> Mask:
    """Raises ``ValueError`` when the runs do not fill the stated size exactly."""
    height, width = rle["size"]
    counts = np.asarray(rle["counts"], np.int64)
    if (counts < 0).any() or int(counts.sum()) != height * width:
        raise ValueError(f"run lengths do not add up to {height} x {width}")
    values = np.arange(counts.size) % 2 == 1
    return np.repeat(values, counts).reshape((height, width), order="F")


def box_of(mask_hw: Mask) -> Box | None:
    """Tight half-open box of the true pixels; ``None`` when there are none."""
    rows = np.flatnonzero(mask_hw.any(axis=1))
    if rows.size == 0:
        return None
    cols = np.flatnonzero(mask_hw.any(axis=0))
    return (float(cols[0]), float(rows[0]), float(cols[-1] + 1), float(rows[-1] + 1))


def clip_box(box: Box, width: int, height: int) -> Box | None:
    """The part of a box inside the picture; ``None`` when nothing of it is."""
    x0, x1 = sorted((min(max(box[0], 0.0), width), min(max(box[2], 0.0), width)))
    y0, y1 = sorted((min(max(box[1], 0.0), height), min(max(box[3], 0.0), height)))
    return (x0, y0, x1, y1) if x1 - x0 >= 1 and y1 - y0 >= 1 else None


def box_to_mask(box: Box, height: int, width: int) -> Mask:
    """True for pixels whose centre lies in the half-open box."""
    xs, ys = np.arange(width) + 0.5, np.arange(height) + 0.5
    inside_x = (xs >= box[0]) & (xs < box[2])
    inside_y = (ys >= box[1]) & (ys < box[3])
    return inside_y[:, None] & inside_x[None, :]


def iou(a_hw: Mask, b_hw: Mask) -> float:
    """Intersection over union; two empty masks agree fully."""
    union = np.count_nonzero(a_hw | b_hw)
    return np.count_nonzero(a_hw & b_hw) / union if union else 1.0


def containment(inner_hw: Mask, outer_hw: Mask) -> float:
    """Share of ``inner`` that lies in ``outer``; 0 for an empty inner mask."""
    size = np.count_nonzero(inner_hw)
    return np.count_nonzero(inner_hw & outer_hw) / size if size else 0.0


def encode_png(array: Picture | Mask) -> bytes:
    """Lossless PNG of ``[H,W]`` (bool or uint8), RGB or RGBA; no metadata, so equal arrays give equal bytes."""
    data = array.astype(np.uint8) * 255 if array.dtype == np.bool_ else array
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(data)).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def decode_png(data: bytes) -> NDArray[np.uint8]:
    """Pixels of a PNG this project wrote; foreign pictures go through ``engine.decoding``."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
        return np.asarray(picture).copy()


def thumbnail_webp(array: Picture, longest_px: int) -> bytes:
    """A small WebP (RGB or RGBA) for lists and run pages."""
    picture = Image.fromarray(np.ascontiguousarray(array))
    picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=82, method=4)
    return buffer.getvalue()


def union(masks: Iterable[Mask], height: int, width: int) -> Mask:
    out = np.zeros((height, width), bool)
    for mask in masks:
        out |= mask
    return out
