"""A drawn prompt canvas back to the prompt it shows: the inverse of ``engine.prompt_canvas.draw``."""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_of
from engine.prompt_canvas import BASE, BOX, MASK
from engine.records import Picture, Prompt, PromptKind

_NEAR_WHITE = 200
"""Of 255: what of a point's heat-map counts as its middle."""


def read_canvas(canvas_hwc: Picture) -> Prompt:
    """The prompt in pixels of the canvas uint8 ``[H,W,3]``; a canvas that is all blue asks for the background.

    Every pixel counts for the colour of ``BASE``, ``BOX``, ``MASK`` or white that it is nearest to. A mask over a box
    hides that part of it; the box is what is green, so a box under a larger mask is lost.
    """
    colours = np.array([BASE, BOX, MASK, (255, 255, 255)], np.float32)
    distance = ((canvas_hwc[..., None, :].astype(np.float32) - colours) ** 2).sum(-1)
    nearest = distance.argmin(-1)
    mask, green = nearest == 2, nearest == 1
    points = _middles((canvas_hwc.min(-1) >= _NEAR_WHITE).astype(np.uint8), canvas_hwc)
    box = box_of(green | mask) if green.any() else None
    has_mask = bool(mask.any())
    if box is None and not has_mask and not points:
        return Prompt(PromptKind.BACKGROUND)
    kinds = [kind for kind, there in (("box", box), ("mask", has_mask), ("point", points)) if there]
    kind = PromptKind(kinds[0]) if len(kinds) == 1 else PromptKind.HYBRID
    return Prompt(kind, points=points, box=box, mask_hw=mask if has_mask else None)


def _middles(white_hw: Picture, canvas_hwc: Picture) -> tuple[tuple[float, float], ...]:
    """The brightest place of each white patch."""
    count, labels = cv2.connectedComponents(white_hw)
    whiteness = canvas_hwc.astype(np.int32).sum(-1)
    places = []
    for label in range(1, count):
        inside = np.where(labels == label, whiteness, -1)
        rows, columns = np.nonzero(inside == inside.max())
        places.append((float(columns.mean()) + 0.5, float(rows.mean()) + 0.5))
    return tuple(places)
