"""A language network that judges the layers of a picture side by side.

Asked for one layer at a time such networks answer nearly the same number for all; shown together they have something
to compare (Zheng et al. 2023, *Judging LLM-as-a-judge*, on pairwise against single grading).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from engine.language.asking import ask_json
from engine.records import Instance, Picture, Scene
from engine.stages.postfilter.squares import on_grey, to_square
from engine.stages.roles import Language, Question

ASK = (
    "The first picture is a photograph. The second shows {count} layers that were cut out of it, each completed where "
    "something hid it, numbered from 1 in reading order: {names}. Compare them and give each grades from 0 to 10, "
    "using the whole range: complete (nothing of the object is missing), clean (nothing foreign, no ragged edge), same "
    '(it is the object named, as in the photograph). Answer with JSON only: [{{"id": 1, "complete": 0, "clean": 0, '
    '"same": 0}}].'
)
GRADES = ("complete", "clean", "same")
MOST_ON_A_SHEET = 9
_CELL_PX = 256


def judge(language: Language, scenes: Sequence[Scene]) -> dict[int, int]:
    """Add ``judge_complete``, ``judge_clean`` and ``judge_same`` 0..1 to the scores of kept foreground layers.

    A layer that got no readable grade gets no score. Returns the tokens spent, by scene identity.
    """
    sheets = [
        (scene, some) for scene in scenes for some in _sheets([i for i in scene.foregrounds if i.layer is not None])
    ]
    read = ask_json(language, [_question(scene, some) for scene, some in sheets], grades_of)
    tokens = {id(scene): 0 for scene in scenes}
    for (scene, some), one in zip(sheets, read, strict=True):
        tokens[id(scene)] += one.tokens
        for number, instance in enumerate(some, 1):
            for name, grade in (one.value or {}).get(number, {}).items():
                instance.scores[f"judge_{name}"] = grade
    return tokens


def _sheets(instances: Sequence[Instance]) -> list[list[Instance]]:
    return [list(instances[k : k + MOST_ON_A_SHEET]) for k in range(0, len(instances), MOST_ON_A_SHEET)]


def _question(scene: Scene, instances: Sequence[Instance]) -> Question:
    names = ", ".join(f"{number} is '{instance.label}'" for number, instance in enumerate(instances, 1))
    return Question((scene.image_hwc, sheet(instances)), ASK.format(count=len(instances), names=names))


def sheet(instances: Sequence[Instance]) -> Picture:
    """Layers on grey in a grid of at most three columns, each with its number."""
    columns = min(3, len(instances))
    rows = -(-len(instances) // columns)
    out = np.full((rows * _CELL_PX, columns * _CELL_PX, 3), 255, np.uint8)
    for k, instance in enumerate(instances):
        assert instance.layer is not None
        cell = to_square(on_grey(instance.layer), _CELL_PX - 8)
        y, x = k // columns * _CELL_PX + 4, k % columns * _CELL_PX + 4
        out[y : y + cell.shape[0], x : x + cell.shape[1]] = cell
        cv2.putText(out, str(k + 1), (x + 6, y + 26), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 0, 0), 4)
        cv2.putText(out, str(k + 1), (x + 6, y + 26), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
    return out


def grades_of(document: Any) -> Mapping[int, dict[str, float]]:
    """Grades 0..1 by number; rows without all three are left out. Raises ``TypeError`` when it is no list."""
    if not isinstance(document, list):
        raise TypeError("not a list of grades")
    out = {}
    for row in document:
        if isinstance(row, dict) and all(isinstance(row.get(name), (int, float)) for name in (*GRADES, "id")):
            out[int(row["id"])] = {name: min(max(float(row[name]) / 10, 0.0), 1.0) for name in GRADES}
    return out
