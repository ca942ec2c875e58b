"""Showing the part of a picture in which something is."""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 0.06


def view_box(box: Sequence[float], width: int, height: int) -> str:
    """An SVG ``viewBox`` round a box ``[x0, y0, x1, y1]`` in pixels, with a margin; the whole picture for no box."""
    x0, y0, x1, y1 = box
    if x1 <= x0 or y1 <= y0:
        return f"0 0 {width} {height}"
    margin = MARGIN * max(x1 - x0, y1 - y0)
    return f"{x0 - margin:.1f} {y0 - margin:.1f} {x1 - x0 + 2 * margin:.1f} {y1 - y0 + 2 * margin:.1f}"
