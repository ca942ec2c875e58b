"""Scripted edits of a layer, the same for both sides of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

MOVE_SHARE = (0.12, 0.06)
"""Of the photo's width to the side with more room, and of its height upwards."""
SCALE = 0.8


def edit_for(
    kind: str,
    boxes: Sequence[Sequence[float]],
    size: tuple[int, int],
    scenes: Sequence[str],
    draw: Callable[[], float],
) -> dict[str, Any]:
    """One of: ``{"kind": "move", "dx", "dy"}``, ``{"kind": "scale", "factor", "x", "y"}`` about a point, both in source
    pixels, or ``{"kind": "background", "scene"}``, one of ``scenes``. ``{}`` for a background, which is no object.

    ``size`` is (width, height) of the photo, ``boxes`` are both layers': the edit must not depend on one of them only.
    """
    if kind == "background":
        return {}
    x0, x1 = min(box[0] for box in boxes), max(box[2] for box in boxes)
    bottom = max(box[3] for box in boxes)
    width, height = size
    side = 1 if width - x1 >= x0 else -1
    possible: list[dict[str, Any]] = [
        {"kind": "move", "dx": round(side * MOVE_SHARE[0] * width), "dy": -round(MOVE_SHARE[1] * height)},
        {"kind": "scale", "factor": SCALE, "x": round((x0 + x1) / 2), "y": round(bottom)},
        *({"kind": "background", "scene": scene} for scene in scenes[:1]),
    ]
    return possible[int(draw() * len(possible))]
