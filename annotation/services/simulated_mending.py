"""Simulated people mend what was rejected: they know the true layers of composites, and draw them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from annotation.mending import true_marks
from annotation.services.simulation import join_queue
from annotation.simulated import Simulated
from annotation.truth import composite_behind
from engine.imaging import decode_png, iou
from engine.models import Layer, LayerStatus, Project
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.services.repairs import open_repair, submit_repair


def mend_rejected(project: Project, people: Sequence[Simulated], most: int, since: datetime) -> int:
    """Hand in repairs of at most so many rejected objects made since then; how many. Others judge them afterwards.

    A layer that was mended once and rejected again is left alone.
    """
    users, mended = join_queue(project, people), 0
    rejected = Layer.objects.filter(project=project, status=LayerStatus.REJECTED, kind=LayerKind.FOREGROUND.value)
    rejected = rejected.filter(author=None, created_at__gte=since).select_related("project", "image")
    for layer in rejected.order_by("created_at", "pk"):
        if mended >= most:
            break
        mended += _mend(layer, users[people[mended % len(people)].name])
    return mended


def _mend(layer: Layer, user: Any) -> bool:
    made = composite_behind(layer.image.original_name, layer.image.sha256)
    if made is None:
        return False
    with layer.rgba.open("rb") as file:
        old = decode_png(file.read())[..., 3] > 127
    true = max((true.layer for true in made.layers), key=lambda true: iou(old, true.amodal_hw))
    marks = true_marks(true, old)
    if marks is None:
        return False
    repair, _ = open_repair(user=user, layer=layer)
    try:
        submit_repair(repair=repair, client_id=str(uuid.uuid4()), data=marks)
    except Refusal:
        # Nothing to change, or nothing left of it: a person would give up on it too.
        repair.delete()
        return False
    return True
