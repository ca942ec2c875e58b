"""Pairs that shape and depth leave open, put to a language network that sees the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from engine.imaging import box_of
from engine.language.asking import ask_json
from engine.records import Mask, Picture
from engine.stages.roles import Language, Question

ASK = (
    "Two objects that touch are outlined, one in red, one in blue. Does one of them hide a part of the other? Answer "
    'with JSON only: {"in_front": "red"}, {"in_front": "blue"} or {"in_front": "neither"}.'
)
_RED, _BLUE = (255, 0, 0), (0, 0, 255)
_SURE = 0.85
"""What an answer counts as: less than plain geometry, for such networks guess."""


def settle(
    language: Language, picture_hwc: Picture, masks: Sequence[Mask], pairs: Sequence[tuple[int, int]]
) -> list[float | None]:
    """For each pair the probability that the first is in front, one half for neither; ``None`` without an answer."""
    questions = [Question((outlined(picture_hwc, masks[i], masks[j]),), ASK) for i, j in pairs]
    return [one.value for one in ask_json(language, questions, chance_of)]


def chance_of(document: Any) -> float:
    """Raises ``KeyError`` for any other word."""
    return {"red": _SURE, "blue": 1 - _SURE, "neither": 0.5}[str(document["in_front"]).lower().strip()]


def outlined(picture_hwc: Picture, first_hw: Mask, second_hw: Mask, margin: float = 0.2) -> Picture:
    """A crop around both, the first outlined in red, the second in blue."""
    shown = np.ascontiguousarray(picture_hwc.copy())
    for mask, colour in ((first_hw, _RED), (second_hw, _BLUE)):
        lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(shown, lines, -1, colour, max(1, round(0.004 * max(mask.shape))))
    x0, y0, x1, y1 = (int(v) for v in box_of(first_hw | second_hw) or (0, 0, *picture_hwc.shape[1::-1]))
    room = round(margin * max(x1 - x0, y1 - y0)) + 8
    return np.ascontiguousarray(shown[max(0, y0 - room) : y1 + room, max(0, x0 - room) : x1 + room])
