"""Answers of the playground taken home as one document."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.refusals import Refusal
from training.models import JobStatus
from training.selectors.predictions import prediction_for

FORMATS = ("psd", "ora", "png")
MOST_LAYERS = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    prediction: uuid.UUID
    name: str
    dx: int = 0
    dy: int = 0


def document_of(*, user: Any, format: str, wanted: Sequence[Wanted]) -> bytes:
    """One's own answers about one picture, front to back, as a document.

    Raises ``Refusal``: 404 as ``prediction_for``; 409 ``not_finished``; 400 ``other_picture``.
    """
    found = [prediction_for(user, one.prediction) for one in wanted]
    if any(prediction.status != JobStatus.FINISHED for prediction in found):
        raise Refusal("not_finished", "One of these layers is not there.", 409)
    if len({prediction.image_id for prediction in found}) != 1:
        raise Refusal("other_picture", "The layers of a document are of one picture.")
    # The writers are heavy to import, and most web processes never need them.
    from training.stack_document import Placed, document

    layers = [
        Placed(one.name, _bytes(prediction.rgba), _bytes(prediction.visible_mask), one.dx, one.dy)
        for one, prediction in zip(wanted, found, strict=True)
    ]
    return document(format, _bytes(found[0].image.picture), layers)


def _bytes(stored: Any) -> bytes:
    with stored.open("rb") as file:
        data: bytes = file.read()
    return data
