"""Given prompts as JSON values for the database and the demo project's files; an exact round trip."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.imaging import mask_to_rle, rle_to_mask
from engine.records import GivenPrompt, Stroke


def given_to_json(given: Iterable[GivenPrompt]) -> list[dict[str, Any]]:
    """``[{label, box, mask, strokes: [{points, width_px, keep}], caption}]``; masks as COCO run lengths."""
    return [
        {
            "label": prompt.label,
            "box": None if prompt.box is None else list(prompt.box),
            "mask": None if prompt.mask_hw is None else mask_to_rle(prompt.mask_hw),
            "strokes": [
                {"points": [list(point) for point in s.points], "width_px": s.width_px, "keep": s.keep}
                for s in prompt.strokes
            ],
            "caption": prompt.caption,
        }
        for prompt in given
    ]


def given_from_json(values: Iterable[dict[str, Any]]) -> tuple[GivenPrompt, ...]:
    """The reverse; everything but the label may be left out. Raises ``KeyError``, ``ValueError`` or ``TypeError``."""
    return tuple(
        GivenPrompt(
            label=value["label"],
            box=_box(value.get("box")),
            mask_hw=rle_to_mask(value["mask"]) if value.get("mask") else None,
            strokes=tuple(
                Stroke(tuple((float(x), float(y)) for x, y in s["points"]), float(s["width_px"]), bool(s["keep"]))
                for s in value.get("strokes", ())
            ),
            caption=value.get("caption", ""),
        )
        for value in values
    )


def _box(values: list[float] | None) -> tuple[float, float, float, float] | None:
    if values is None:
        return None
    x0, y0, x1, y1 = values
    return (float(x0), float(y0), float(x1), float(y1))
