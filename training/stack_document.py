"""A stack of layers, moved or not, as one document for Photoshop or OpenRaster, by the writers of the exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.imaging import decode_png, encode_png
from engine.records import Picture
from training.exports import openraster, psd
from training.exports.base import Sample

WRITERS = {"psd": psd.document, "ora": openraster.document}


@dataclass(frozen=True, slots=True)
class Placed:
    """A layer's PNG bytes, and how far it was moved to the right and down, in pixels."""

    name: str
    rgba_png: bytes
    visible_png: bytes
    dx: int = 0
    dy: int = 0


def document(format: str, source_png: bytes, layers: Sequence[Placed]) -> bytes:
    """``psd`` or ``ora``; layers front to back, the photograph hidden on top. What leaves the picture is cut off."""
    height, width = decode_png(source_png).shape[:2]
    source = {"width": width, "height": height}
    return WRITERS[format](
        [
            Sample(
                {"label": layer.name, "source": source},
                source_png,
                encode_png(moved(decode_png(layer.rgba_png), layer.dx, layer.dy)),
                encode_png(moved(decode_png(layer.visible_png), layer.dx, layer.dy)),
            )
            for layer in layers
        ]
    )


def moved(picture: Picture, dx: int, dy: int) -> Picture:
    """``[H,W]`` or ``[H,W,C]``, shifted to the right and down; zeros come in."""
    height, width = picture.shape[:2]
    out = np.zeros_like(picture)
    if abs(dx) < width and abs(dy) < height:
        into = np.s_[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
        from_ = np.s_[max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)]
        out[into] = picture[from_]
    return out
