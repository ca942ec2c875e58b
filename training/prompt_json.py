"""A prompt as JSON in pixels of the picture: ``{"kind", "points", "box", "mask", "text"}``, as the API shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engine.imaging import mask_to_rle, rle_to_mask
from engine.records import Box, Mask, Point, Prompt, PromptKind
from engine.refusals import Refusal
from training.asking import checked_prompt

MOST_POINTS = 100
MOST_TEXT = 400


def prompt_from_json(data: Any, width: int, height: int) -> Prompt:
    """The prompt for a picture of this size. ``kind`` may be left out, except for the background.

    ``mask`` is COCO's uncompressed run lengths. Beside points their ``labels`` may stand, all of them 1.

    Raises ``Refusal`` 400: ``bad_prompt``, ``negative_points``, ``bad_mask`` and those of
    ``training.asking.checked_prompt``.
    """
    if not isinstance(data, Mapping):
        raise Refusal("bad_prompt", "A prompt is an object with points, box, mask or text.")
    points = _points(data.get("points") or [], data.get("labels"))
    box = None if data.get("box") is None else _box(data["box"])
    mask = None if data.get("mask") is None else _mask(data["mask"], width, height)
    text = data.get("text") or ""
    if not isinstance(text, str) or len(text) > MOST_TEXT or "\0" in text:
        raise Refusal("bad_prompt", f"A text has at most {MOST_TEXT} letters.")
    kind = _kind(data.get("kind"), points, box, mask, text.strip())
    return checked_prompt(Prompt(kind, points, box, mask, text.strip()), width, height)


def prompt_to_json(prompt: Prompt) -> dict[str, Any]:
    return {
        "kind": prompt.kind.value,
        "points": [list(point) for point in prompt.points],
        "box": None if prompt.box is None else list(prompt.box),
        "mask": None if prompt.mask_hw is None else mask_to_rle(prompt.mask_hw),
        "text": prompt.text,
    }


def _kind(said: Any, points: tuple[Point, ...], box: Box | None, mask: Mask | None, text: str) -> PromptKind:
    """What the parts make of it; what was said must fit them."""
    if said == PromptKind.BACKGROUND:
        if points or box is not None:
            raise Refusal("bad_prompt", "The background goes with nothing, or with a mask of what is in front of it.")
        return PromptKind.BACKGROUND
    parts = {
        PromptKind.POINT: bool(points),
        PromptKind.BOX: box is not None,
        PromptKind.MASK: mask is not None,
        PromptKind.TEXT: bool(text),
    }
    given = [kind for kind, is_given in parts.items() if is_given]
    if not given:
        raise Refusal("empty_prompt", "A prompt has at least a point, a box, a mask or a text.")
    kind = given[0] if len(given) == 1 else PromptKind.HYBRID
    if said not in (None, kind.value):
        raise Refusal("bad_prompt", f"The prompt says {said!r}, its parts make it {kind.value}.")
    return kind


def _points(rows: Any, labels: Any) -> tuple[Point, ...]:
    try:
        points = tuple((float(x), float(y)) for x, y in rows)
    except (TypeError, ValueError) as error:
        raise Refusal("bad_prompt", "points is a list of [x, y].") from error
    if len(points) > MOST_POINTS:
        raise Refusal("bad_prompt", f"A prompt has at most {MOST_POINTS} points.")
    if labels is not None:
        if not isinstance(labels, list) or len(labels) != len(points):
            raise Refusal("bad_prompt", "labels is a list of one number for each point.")
        if any(label != 1 for label in labels):
            raise Refusal("negative_points", "Points say where the object is; no checkpoint reads where it is not.")
    return points


def _box(row: Any) -> Box:
    try:
        x0, y0, x1, y1 = (float(value) for value in row)
    except (TypeError, ValueError) as error:
        raise Refusal("bad_prompt", "A box is [x0, y0, x1, y1].") from error
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise Refusal("bad_prompt", "The numbers of a box are finite.")
    return (x0, y0, x1, y1)


def _mask(rle: Any, width: int, height: int) -> Mask:
    try:
        if list(rle["size"]) != [height, width]:
            raise Refusal("mask_size", f"The mask is {rle['size']}, the picture [{height}, {width}].")
        return rle_to_mask(rle)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise Refusal("bad_mask", f"The mask is no run lengths of {height} x {width} pixels.") from error
