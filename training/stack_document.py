"""A stack of layers, moved or not, as one document for Photoshop or OpenRaster, or merged into one PNG."""

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
    """``psd`` or ``ora`` with the photograph hidden on top, or ``png``, what the layers look like together.

    Layers front to back. What leaves the picture is cut off.
    """
    if format == "png":
        return encode_png(merged([moved(decode_png(layer.rgba_png), layer.dx, layer.dy) for layer in layers]))
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


def merged(layers: Sequence[Picture]) -> Picture:
    """RGBA layers ``[H,W,4]`` front to back as one, straight alpha (Porter and Duff 1984, over); rounded once."""
    colour = np.zeros((*layers[0].shape[:2], 3))
    covered = np.zeros((*layers[0].shape[:2], 1))
    for rgba in reversed(layers):
        alpha = rgba[..., 3:] / 255
        colour = rgba[..., :3] * alpha + colour * (1 - alpha)
        covered = alpha + covered * (1 - alpha)
    colour /= np.maximum(covered, 1e-6)
    return np.rint(np.dstack([colour, 255 * covered])).astype(np.uint8)


def moved(picture: Picture, dx: int, dy: int) -> Picture:
    """``[H,W]`` or ``[H,W,C]``, shifted to the right and down; zeros come in."""
    height, width = picture.shape[:2]
    out = np.zeros_like(picture)
    if abs(dx) < width and abs(dy) < height:
        into = np.s_[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
        from_ = np.s_[max(0, -dy) : height + min(0, -dy), max(0, -dx) : width + min(0, -dx)]
        out[into] = picture[from_]
    return out
