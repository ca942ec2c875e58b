"""What a person draws to mend a layer: a box, strokes that hint, strokes that paint; and their JSON form.

A hint (``keep``, ``remove``) tells the segmenter what belongs to the object; it finds the rest. A painted stroke
(``paint``, ``erase``) is the mask itself. The hard core of a painted stroke is certain; over its soft rim matting
decides. Where marks overlap the later one wins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import RLE, clip_box, mask_to_rle, rle_to_mask
from engine.records import Box, GivenPrompt, Mask, Point, Stroke

MOST_STROKES = 400
MOST_POINTS = 20_000
"""Of all strokes together."""
MOST_WIDTH_PX = 1000.0


class Tool(StrEnum):
    KEEP = "keep"
    REMOVE = "remove"
    PAINT = "paint"
    ERASE = "erase"

    @property
    def is_hint(self) -> bool:
        return self in (Tool.KEEP, Tool.REMOVE)

    @property
    def adds(self) -> bool:
        return self in (Tool.KEEP, Tool.PAINT)


class Hidden(StrEnum):
    """The part under objects in front: kept from the old layer, or found again from the new outline."""

    KEPT = "kept"
    AGAIN = "again"


class BadMarks(ValueError):
    """``code``: ``stroke_outside``, ``box_outside``, ``bad_mask``, ``empty_mask``, ``too_many_strokes``, ``bad_marks``
    for the rest."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Mark:
    """One stroke. ``hardness`` 0..1 is the share of its width that is certain; hints are certain all over."""

    tool: Tool
    points: tuple[Point, ...]
    width_px: float
    hardness: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """All marks on one layer. A box starts the object over inside it; a mask is the start in place of the old one."""

    strokes: tuple[Mark, ...] = ()
    box: Box | None = None
    mask_hw: Mask | None = None
    hidden: Hidden = Hidden.KEPT

    @property
    def is_empty(self) -> bool:
        return not self.strokes and self.box is None and self.mask_hw is None and self.hidden is Hidden.KEPT

    @property
    def hints(self) -> tuple[Stroke, ...]:
        return tuple(Stroke(m.points, m.width_px, m.tool is Tool.KEEP) for m in self.strokes if m.tool.is_hint)

    def prompt(self, start_hw: Mask) -> GivenPrompt:
        """For a ``Segmenter``; ``start_hw`` is where it starts when neither box nor mask was drawn."""
        start = start_hw if self.mask_hw is None else self.mask_hw
        return GivenPrompt("", self.box, None if self.box is not None else start, self.hints)

    def moved(self, dx: float, dy: float, scale: float = 1.0) -> Marks:
        """The same marks in a picture whose origin lies at ``(dx, dy)``, then scaled. Without the mask."""
        strokes = tuple(
            replace(
                m, points=tuple(((x - dx) * scale, (y - dy) * scale) for x, y in m.points), width_px=m.width_px * scale
            )
            for m in self.strokes
        )
        box = self.box
        if box is not None:
            box = ((box[0] - dx) * scale, (box[1] - dy) * scale, (box[2] - dx) * scale, (box[3] - dy) * scale)
        return Marks(strokes, box, None, self.hidden)


def draw(
    strokes: tuple[Mark, ...], height: int, width: int, *, is_certain: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Masks ``[H,W]`` of what strokes add and take away, the later one on top.

    ``is_certain``: only the hard cores; otherwise up to the middle of the soft rims.
    """
    canvas = np.zeros((height, width), np.uint8)
    for mark in strokes:
        core = 1.0 if mark.tool.is_hint else mark.hardness
        share = core if is_certain else (1.0 + core) / 2
        thickness = max(1, round(mark.width_px * share))
        points = np.rint(np.asarray(mark.points, np.float64) - 0.5).astype(np.int32).reshape(-1, 1, 2)
        value = 1 if mark.tool.adds else 2
        if len(points) == 1:
            cv2.circle(canvas, points[0, 0].tolist(), thickness // 2, value, cv2.FILLED)
        else:
            cv2.polylines(canvas, [points], False, value, thickness)
    return canvas == 1, canvas == 2


def marks_to_json(marks: Marks) -> dict[str, Any]:
    return {
        "strokes": [
            {
                "tool": m.tool.value,
                "points": [list(p) for p in m.points],
                "width_px": m.width_px,
                "hardness": m.hardness,
            }
            for m in marks.strokes
        ],
        "box": None if marks.box is None else list(marks.box),
        "mask": None if marks.mask_hw is None else mask_to_rle(marks.mask_hw),
        "hidden": marks.hidden.value,
    }


def marks_from_json(data: Any, height: int, width: int) -> Marks:
    """Read ``{"strokes": [{tool, points, width_px, hardness}], "box", "mask", "hidden"}`` for a picture of this size.

    Raises ``BadMarks``. Coordinates are pixels of the source image; a point on its border is inside.
    """
    if not isinstance(data, Mapping):
        raise BadMarks("bad_marks", "Marks are an object with strokes, box, mask and hidden.")
    try:
        hidden = Hidden(data.get("hidden") or Hidden.KEPT)
    except ValueError as error:
        raise BadMarks("bad_marks", "hidden is kept or again.") from error
    box, mask = data.get("box"), data.get("mask")
    return Marks(
        _read_strokes(data.get("strokes") or [], height, width),
        None if box is None else _read_box(box, height, width),
        None if mask is None else _read_mask(mask, height, width),
        hidden,
    )


def _read_box(row: Any, height: int, width: int) -> Box:
    try:
        x0, y0, x1, y1 = (float(value) for value in row)
    except (TypeError, ValueError) as error:
        raise BadMarks("bad_marks", "A box is [x0, y0, x1, y1].") from error
    box = clip_box((x0, y0, x1, y1), width, height) if all(map(math.isfinite, (x0, y0, x1, y1))) else None
    if box is None:
        raise BadMarks("box_outside", "The box has nothing of the photo in it.")
    return box


def _read_strokes(rows: Any, height: int, width: int) -> tuple[Mark, ...]:
    if not isinstance(rows, list):
        raise BadMarks("bad_marks", "strokes is a list.")
    if len(rows) > MOST_STROKES:
        raise BadMarks("too_many_strokes", f"A repair has at most {MOST_STROKES} strokes.")
    strokes, points_in_all = [], 0
    for row in rows:
        try:
            points = tuple((float(x), float(y)) for x, y in row["points"])
            mark = Mark(Tool(row["tool"]), points, float(row["width_px"]), float(row.get("hardness", 1.0)))
        except (TypeError, ValueError, KeyError) as error:
            raise BadMarks("bad_marks", "A stroke has a tool, points [x, y] and a width.") from error
        if not points or not 0 < mark.width_px <= MOST_WIDTH_PX or not 0 <= mark.hardness <= 1:
            raise BadMarks(
                "bad_marks", f"A stroke has points, a width up to {MOST_WIDTH_PX:.0f} and a hardness 0 to 1."
            )
        if not all(0 <= x <= width and 0 <= y <= height for x, y in points):
            raise BadMarks("stroke_outside", "A stroke leaves the photo.")
        points_in_all += len(points)
        strokes.append(mark)
    if points_in_all > MOST_POINTS:
        raise BadMarks("too_many_strokes", f"The strokes of a repair have at most {MOST_POINTS} points.")
    return tuple(strokes)


def _read_mask(rle: RLE, height: int, width: int) -> Mask:
    try:
        if list(rle["size"]) != [height, width]:
            raise ValueError("wrong size")
        mask = rle_to_mask(rle)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise BadMarks("bad_mask", f"The mask is no run lengths of {height} x {width} pixels.") from error
    if not mask.any():
        raise BadMarks("empty_mask", "The mask has no pixel.")
    return mask
