"""Accepted layers to freeze: pictures that do not look alike, each with two objects and a background."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import connection
from django.utils import timezone

from annotation.models import Decision, Slot, SlotStatus, Verdict
from engine.models import Layer, LayerStatus, Project, Prompt, SourceImage
from rld_platform.scale import copy_pictures, pattern_of
from tests.factories import make_image, make_layer

LABELS = ("ball", "cup")


def unlike(number: int) -> int:
    """A perceptual hash far from those of all other numbers."""
    return int(np.random.default_rng(number).integers(-(2**63), 2**63 - 1))


def make_stack(project: Project, number: int, judges: tuple[Any, ...] = (), **facts: Any) -> SourceImage:
    """A picture with three accepted layers, each accepted by all ``judges``; ``facts`` change the picture."""
    image = make_image(project, seed=number, width=48, height=36)
    for name, value in {"perceptual_hash": unlike(number), **facts}.items():
        setattr(image, name, value)
    image.save()
    for depth, label in enumerate((*LABELS, "background")):
        kind = "background" if label == "background" else "foreground"
        layer = make_layer(image, depth=depth, kind=kind, label=label, status=LayerStatus.ACCEPTED)
        if depth == 0:
            mask = {"size": [36, 48], "counts": [100, 50, 36 * 48 - 150]}
            Prompt.objects.create(layer=layer, kind="mask", mask=mask)
            Prompt.objects.create(
                layer=layer, kind="hybrid", box=[3, 4, 20.5, 30], text="the bäll ☃", is_ambiguous=True
            )
        for judge in judges:
            say(layer, judge)
    return image


def say(layer: Layer, judge: Any, decision: str = Decision.ACCEPT, **facts: Any) -> Verdict:
    """A counted verdict, past the queue."""
    position = layer.slots.count() + 1
    slot = Slot.objects.create(
        project=layer.project,
        layer=layer,
        position=position,
        status=SlotStatus.FILLED,
        available_at=timezone.now(),
        random_key=0.5,
    )
    return Verdict.objects.create(
        project=layer.project,
        layer=layer,
        slot=slot,
        annotator=judge,
        decision=decision,
        client_id=f"{layer.pk}-{position}",
        active_ms=900,
        is_counted=True,
        **facts,
    )


def make_many(project: Project, pictures: int) -> None:
    """Accepted layers by the hundred: copies of one picture's rows that look different from each other."""
    pattern, producer, is_new = pattern_of(project)
    copy_pictures(pattern, producer, pictures - is_new)
    with connection.cursor() as cursor:
        look = "('x' || left(md5(id::text), 16))::bit(64)::bigint"
        cursor.execute(f"UPDATE engine_sourceimage SET perceptual_hash = {look} WHERE project_id = %s", [project.pk])
    Layer.objects.filter(project=project).update(status=LayerStatus.ACCEPTED)
