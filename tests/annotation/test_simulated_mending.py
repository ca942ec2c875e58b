"""Simulated people mend with the marks that anybody can draw, through the repair that everybody uses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotation.mending import true_marks
from annotation.selectors.truth import Truth
from annotation.services.simulated_mending import mend_rejected
from annotation.simulated import Simulated
from engine.composites.held_out import name_of, seen_composite
from engine.imaging import encode_png, rle_to_mask
from engine.models import Layer, LayerStatus, Project
from engine.records import RGBALayer
from engine.repair.marks import MOST_STROKES
from engine.services.images import import_image
from engine.services.layers import unsaved_layer
from tests.factories import make_producer

PEOPLE = [Simulated("simulated-1", 0.0, 0), Simulated("simulated-2", 0.0, 0)]


def test_strokes_are_where_the_old_layer_is_wrong_and_nowhere_else() -> None:
    alpha = np.zeros((12, 60), np.uint8)
    alpha[2:10, 5:25] = 255
    seen = alpha > 127
    seen[4:6] = False
    old = np.zeros_like(seen)
    old[2:10, 20:30] = True
    marks = true_marks(RGBALayer(np.dstack([np.zeros((12, 60, 3), np.uint8), alpha]), seen), old)
    assert marks is not None
    assert (rle_to_mask(marks["mask"]) == seen).all()
    drawn = {(stroke["tool"], *stroke["points"][0], *stroke["points"][1]) for stroke in marks["strokes"]}
    erased = {("erase", 25.5, y + 0.5, 29.5, y + 0.5) for y in range(2, 10)}
    assert drawn == erased | {("paint", 5.5, y + 0.5, 24.5, y + 0.5) for y in (4, 5)}


def test_of_too_many_strokes_the_longest_are_drawn() -> None:
    alpha = np.zeros((64, 64), np.uint8)
    alpha[:8] = 255
    old = np.zeros((64, 64), bool)
    old[8:, ::2] = True
    old[20] = True
    marks = true_marks(RGBALayer(np.dstack([np.zeros((64, 64, 3), np.uint8), alpha]), alpha > 127), old)
    assert marks is not None
    assert len(marks["strokes"]) == MOST_STROKES
    assert marks["strokes"][0]["points"] == [[0.5, 20.5], [63.5, 20.5]]


@pytest.fixture
def rejected(project: Project) -> Layer:
    """Half of an object that something stands in front of, or as much as can be had."""
    made = seen_composite(3, 96)
    image = import_image(project=project, data=encode_png(made.source_hwc), name=name_of(3, 96)).image
    true = max(made.layers, key=lambda one: one.occlusion).layer
    rgba = true.rgba_hwc.copy()
    columns = np.flatnonzero(true.amodal_hw.any(0))
    rgba[:, : int(columns.mean()), 3] = 0
    row = unsaved_layer(
        image=image, producer=make_producer("engine"), layer=RGBALayer(rgba, true.visible_hw & (rgba[..., 3] > 127)),
        key="00", depth=0, kind="foreground", label="thing", status=LayerStatus.REJECTED,
    )  # fmt: skip
    row.save()
    return row


def test_a_rejected_layer_becomes_a_right_one_that_others_judge(project: Project, rejected: Layer) -> None:
    since = rejected.created_at
    assert not Truth(project, 0)(rejected.pk)
    assert mend_rejected(project, PEOPLE, 5, since) == 1
    rejected.refresh_from_db()
    new: Any = Layer.objects.get(replaces=rejected)
    assert (rejected.status, new.status, new.author.username) == ("superseded", "ready", "simulated-1")
    assert Truth(project, 0)(new.pk)


@pytest.mark.parametrize("status", [LayerStatus.READY, LayerStatus.ACCEPTED, LayerStatus.DROPPED])
def test_nothing_else_is_mended(project: Project, rejected: Layer, status: str) -> None:
    since = rejected.created_at
    assert mend_rejected(project, PEOPLE, 0, since) == 0
    assert mend_rejected(project, PEOPLE, 5, timezone.now()) == 0
    Layer.objects.update(status=status)
    assert mend_rejected(project, PEOPLE, 5, since) == 0
