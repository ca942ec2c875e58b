"""The mask notations of COCO and Label Studio. All raise ``ValueError`` when the data does not fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage.draw import polygon

from engine.records import Mask, Point


def from_polygons(polygons: Sequence[Sequence[Point]], height: int, width: int) -> Mask:
    """Union of filled polygons; a pixel belongs when its centre lies inside."""
    mask = np.zeros((height, width), bool)
    for points in polygons:
        xy = np.asarray(points, float) - 0.5
        mask[polygon(xy[:, 1], xy[:, 0], (height, width))] = True
    return mask


def from_ellipse(centre: Point, radii: Point, degrees: float, height: int, width: int) -> Mask:
    """Turned clockwise, as y points down."""
    xs, ys = np.arange(width) + 0.5 - centre[0], np.arange(height)[:, None] + 0.5 - centre[1]
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, across = xs * cos + ys * sin, ys * cos - xs * sin
    return np.asarray((along / radii[0]) ** 2 + (across / radii[1]) ** 2 <= 1.0)


def coco_counts(text: str) -> list[int]:
    """COCO's compressed run lengths (cocoapi, ``rleFrString``).

    Six bits a character from ``0`` on: five of value, low first, one for "more"; from the third
    run on the difference to the run before the last is written.
    """
    counts: list[int] = []
    at = 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            code = ord(text[at]) - 48 if at < len(text) else -1
            if not 0 <= code < 64 or shift > 35:
                raise ValueError("broken compressed run lengths")
            value |= (code & 0x1F) << shift
            at, shift, more = at + 1, shift + 5, bool(code & 0x20)
        if code & 0x10:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts


def from_brush(code: bytes, height: int, width: int) -> Mask:
    """Label Studio's brush: alpha of an RGBA picture packed by thi.ng/rle-pack.

    A bit stream: 32 bits number of values, 5 bits word size, four times 4 bits run size; then packets
    of one bit (a run of one value, or literals), two bits which run size, the length less one, the values.
    """
    bits = _Bits(code)
    total = bits.read(32)
    if total != height * width * 4:
        raise ValueError("the brush does not have the size of the picture")
    word = bits.read(5) + 1
    if word != 8:
        raise ValueError("the brush is not made of bytes")
    sizes = [bits.read(4) + 1 for _ in range(4)]
    values = np.zeros(total, np.uint8)
    at = 0
    while at < total:
        is_run = bits.read(1)
        end = at + 1 + bits.read(sizes[bits.read(2)])
        if end > total:
            raise ValueError("the brush has too many values")
        if is_run:
            values[at:end] = bits.read(word)
        else:
            values[at:end] = [bits.read(word) for _ in range(end - at)]
        at = end
    return values[3::4].reshape(height, width) > 127


class _Bits:
    """Big-endian bit reader."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, count: int) -> int:
        start, self._at = self._at, self._at + count
        if self._at > len(self._data) * 8:
            raise ValueError("the brush is cut short")
        last = (self._at + 7) // 8
        window = int.from_bytes(self._data[start // 8 : last], "big")
        return window >> (last * 8 - self._at) & ((1 << count) - 1)
