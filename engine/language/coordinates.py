"""How language networks that see write boxes down: every family its own way.

Qwen2-VL and Qwen3-VL write thousandths of the picture. Qwen2.5-VL writes pixels of the picture *as it was shown*,
after its own resizing to multiples of 28. Gemini writes thousandths with y first. All of them now and then run past
the border or swap corners, so a box is sorted and clipped here, and dropped when nothing is left of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from engine.records import Box

Size = tuple[int, int]
"""Width and height."""

Convention = Callable[[Sequence[float], Size, Size], tuple[float, float, float, float]]
"""Four numbers as written, the picture's size, the size it was shown at; gives corners in pixels of the picture."""


def _thousandths(numbers: Sequence[float], picture: Size, shown: Size) -> tuple[float, float, float, float]:
    a, b, c, d = numbers
    return a * picture[0] / 1000, b * picture[1] / 1000, c * picture[0] / 1000, d * picture[1] / 1000


def _thousandths_yx(numbers: Sequence[float], picture: Size, shown: Size) -> tuple[float, float, float, float]:
    a, b, c, d = numbers
    return _thousandths((b, a, d, c), picture, shown)


def _shown_pixels(numbers: Sequence[float], picture: Size, shown: Size) -> tuple[float, float, float, float]:
    a, b, c, d = numbers
    across, down = picture[0] / shown[0], picture[1] / shown[1]
    return a * across, b * down, c * across, d * down


def _unit(numbers: Sequence[float], picture: Size, shown: Size) -> tuple[float, float, float, float]:
    a, b, c, d = numbers
    return a * picture[0], b * picture[1], c * picture[0], d * picture[1]


CONVENTIONS: Mapping[str, Convention] = {
    "thousandths": _thousandths,
    "thousandths_yx": _thousandths_yx,
    "shown_pixels": _shown_pixels,
    "unit": _unit,
}

FAMILIES: tuple[tuple[str, str], ...] = (
    ("qwen2.5-vl", "shown_pixels"),
    ("qwen2_5_vl", "shown_pixels"),
    ("gemini", "thousandths_yx"),
)
"""Part of a network's name, lower case, and its convention; all others write thousandths, as our questions ask."""


def convention_of(name: str) -> str:
    """The convention of a network by its name or transformers' ``model_type``."""
    return next((how for part, how in FAMILIES if part in name.lower()), "thousandths")


def to_box(numbers: Sequence[float], convention: str, picture: Size, shown: Size | None = None) -> Box | None:
    """The box in pixels of the picture, corners sorted, clipped; ``None`` when less than a pixel of it is left.

    ``shown`` is the size the network saw, the picture's own where it is not known. Raises ``KeyError`` for an unknown
    convention.
    """
    read = CONVENTIONS[convention]
    if len(numbers) != 4 or not all(math.isfinite(n) for n in numbers):
        return None
    a, b, c, d = read(numbers, picture, shown or picture)
    x0, x1 = (min(max(x, 0.0), float(picture[0])) for x in sorted((a, c)))
    y0, y1 = (min(max(y, 0.0), float(picture[1])) for y in sorted((b, d)))
    return (x0, y0, x1, y1) if x1 - x0 >= 1 and y1 - y0 >= 1 else None


def shown_size(picture: Size, factor: int = 28, least: int = 56 * 56, most: int = 28 * 28 * 1280) -> Size:
    """The size at which Qwen's processor shows a picture: sides multiples of ``factor``, area within bounds.

    The published rule of the family, needed where the network runs behind an endpoint and does not tell.
    """
    width, height = picture
    wide, high = (max(factor, round(side / factor) * factor) for side in picture)
    if wide * high > most:
        shrink = math.sqrt(width * height / most)
        wide, high = (max(factor, math.floor(side / shrink / factor) * factor) for side in picture)
    elif wide * high < least:
        grow = math.sqrt(least / (width * height))
        wide, high = (math.ceil(side * grow / factor) * factor for side in picture)
    return wide, high
