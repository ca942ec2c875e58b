"""Objects that a language network names and locates: the source of names for everything else, and of boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import networks
from engine.language.asking import ask_json
from engine.language.coordinates import to_box
from engine.records import Picture
from engine.stages.roles import Answer, Found, Language, Question

LIST_OBJECTS = (
    "List every separate object in this picture that could be cut out as a layer of its own: people, animals, things, "
    "also partly hidden ones. Leave out walls, sky, ground and other background. Each object once; at most {most}. "
    'Answer with JSON only: [{{"label": "two or three words", "bbox_2d": [x0, y0, x1, y1]}}], {units}.'
)
UNITS = {
    "thousandths": "coordinates as whole numbers from 0 to 1000 relative to the picture",
    "thousandths_yx": "boxes as [y0, x0, y1, x1] with whole numbers from 0 to 1000 relative to the picture",
    "shown_pixels": "coordinates in pixels",
    "unit": "coordinates from 0 to 1 relative to the picture",
}
_BOX_KEYS = ("bbox_2d", "box_2d", "bbox", "box")


class LanguageLocator:
    """A detector (``engine.stages.roles``) without scores of its own: all its boxes get ``score``.

    Language networks invent objects, so what it alone has seen must be confirmed by somebody else; its score is set
    below the threshold at which one witness is enough. ``language`` is the spec of the network.
    """

    needs_phrases = False

    def __init__(self, language: Mapping[str, Any], score: float = 0.5, most: int = 20) -> None:
        self.language: Language = networks.make(language)
        self.score, self.most = score, most
        self.tokens = 0

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        self.language.load(device, dtype)

    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]:
        text = LIST_OBJECTS.format(most=self.most, units=UNITS[self.language.convention])
        read = ask_json(self.language, [Question((picture,), text) for picture in pictures], objects_of)
        self.tokens += sum(one.tokens for one in read)
        return [self._found(one.value or [], one.answer, picture) for one, picture in zip(read, pictures, strict=True)]

    def _found(self, objects: list[tuple[str, list[float]]], answer: Answer, picture: Picture) -> list[Found]:
        size = (picture.shape[1], picture.shape[0])
        shown = answer.shown[0] if answer.shown else None
        out: list[Found] = []
        for label, numbers in objects[: self.most]:
            box = to_box(numbers, self.language.convention, size, shown)
            if box is not None and all(box != other.box for other in out):
                out.append(Found(label, self.score, box))
        return out


def objects_of(document: Any) -> list[tuple[str, list[float]]]:
    """Labels and their four numbers; rows of another shape are left out. Raises ``TypeError`` when it is no list."""
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [document])
    if not isinstance(document, list):
        raise TypeError("not a list of objects")
    rows = []
    for row in document:
        numbers = next((row[key] for key in _BOX_KEYS if key in row), None) if isinstance(row, dict) else None
        label = " ".join(str(row.get("label", "")).lower().split()) if isinstance(row, dict) else ""
        is_box = isinstance(numbers, list) and len(numbers) == 4
        if label and is_box and all(isinstance(n, (int, float)) for n in numbers or ()):
            rows.append((label[:80], [float(n) for n in numbers or ()]))
    return rows
