"""Marks are read strictly, and what is wrong has a name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.imaging import mask_to_rle
from engine.repair.marks import BadMarks, Hidden, Mark, Marks, Tool, draw, marks_from_json, marks_to_json

STROKE = {"tool": "keep", "points": [[1, 2], [3.5, 4]], "width_px": 3}


def code_of(data: Any) -> str:
    with pytest.raises(BadMarks) as refusal:
        marks_from_json(data, 20, 30)
    return refusal.value.code


def test_marks_survive_their_json_form() -> None:
    mask = np.zeros((20, 30), bool)
    mask[3:9, 4:11] = True
    marks = Marks((Mark(Tool.PAINT, ((1.0, 2.0),), 5.0, 0.25),), (1.0, 2.0, 11.0, 12.0), mask, Hidden.AGAIN)
    data = marks_to_json(marks)
    again = marks_from_json(data, 20, 30)
    assert marks_to_json(again) == data
    assert (again.mask_hw == mask).all()


def test_nothing_is_a_valid_drawing() -> None:
    assert marks_from_json({}, 20, 30).is_empty


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"strokes": [STROKE | {"points": [[31, 2]]}]}, "stroke_outside"),
        ({"strokes": [STROKE | {"points": [[1, -0.5]]}]}, "stroke_outside"),
        ({"strokes": [STROKE | {"points": [["nan", 2]]}]}, "stroke_outside"),
        ({"strokes": [STROKE | {"points": []}]}, "bad_marks"),
        ({"strokes": [STROKE | {"points": 3}]}, "bad_marks"),
        ({"strokes": [STROKE | {"width_px": 0}]}, "bad_marks"),
        ({"strokes": [STROKE | {"width_px": "nan"}]}, "bad_marks"),
        ({"strokes": [STROKE | {"hardness": 1.5}]}, "bad_marks"),
        ({"strokes": [STROKE | {"tool": "wand"}]}, "bad_marks"),
        ({"strokes": ["line"]}, "bad_marks"),
        ({"strokes": {"0": STROKE}}, "bad_marks"),
        ({"strokes": [STROKE] * 401}, "too_many_strokes"),
        ({"strokes": [STROKE | {"points": [[1, 1]] * 20_001}]}, "too_many_strokes"),
        ({"box": [1, 2, 3]}, "bad_marks"),
        ({"box": [1, 2, "inf", 4]}, "box_outside"),
        ({"box": [40, 2, 50, 4]}, "box_outside"),
        ({"mask": {"size": [3, 3], "counts": [9]}}, "bad_mask"),
        ({"mask": {"size": [20, 30], "counts": [9]}}, "bad_mask"),
        ({"mask": {"counts": [9]}}, "bad_mask"),
        ({"mask": mask_to_rle(np.zeros((20, 30), bool))}, "empty_mask"),
        ({"hidden": "perhaps"}, "bad_marks"),
        (["strokes"], "bad_marks"),
    ],
)
def test_bad_marks_are_named(data: Any, code: str) -> None:
    assert code_of(data) == code


def test_the_core_of_a_soft_stroke_lies_inside_the_stroke() -> None:
    marks = (Mark(Tool.PAINT, ((5.0, 10.0), (25.0, 10.0)), 9.0, 0.3),)
    core, _ = draw(marks, 20, 30, is_certain=True)
    all_of_it, _ = draw(marks, 20, 30, is_certain=False)
    assert core.any()
    assert (core & ~all_of_it).sum() == 0
    assert core.sum() < all_of_it.sum()
