"""The blind votes of a gate: comparisons of the two checkpoints' layers, among the first to be served."""

from __future__ import annotations

import json
from random import random

from django.db.models import Count

from annotation.models import Comparison, SlotStatus
from annotation.services.comparisons import pose
from engine.models import OUT_OF_SIGHT, Layer
from evaluation.models import Gate
from evaluation.selectors.gate_votes import comparisons_of

MOST_VOTERS = 5
"""Of one pair of layers: a sixth vote on the same two says less than one on two others."""
FRONT = 0.05
"""The gate's comparisons have keys below this; those of others lie anywhere from 0 to 1."""


def open_comparisons(gate: Gate) -> int:
    """As many open comparisons as the budget still needs, spread evenly over pairs of layers; how many were made."""
    shown = comparisons_of(gate)
    wanted = gate.budget - shown.exclude(status=SlotStatus.RETIRED).count()
    if wanted <= 0:
        return 0
    pairs = _pairs(gate)
    asked = dict(shown.order_by().values_list("pair").annotate(number=Count("pk")))
    made: list[Comparison] = []
    for _ in range(MOST_VOTERS):
        for one, other in pairs:
            if len(made) >= wanted:
                break
            new = pose(one, other)
            if asked.get(new.pair, 0) < MOST_VOTERS:
                new.random_key = FRONT * random()
                asked[new.pair] = asked.get(new.pair, 0) + 1
                made.append(new)
    Comparison.objects.bulk_create(made)
    return len(made)


def retire_comparisons(gate: Gate) -> int:
    """What was not voted on yet is asked no more; leases run out by themselves."""
    return comparisons_of(gate).filter(status=SlotStatus.OPEN).update(status=SlotStatus.RETIRED)


def _pairs(gate: Gate) -> list[tuple[Layer, Layer]]:
    """Layers by both that answer the same prompts, the photos in turn.

    Not by their shapes, as other comparisons are made: a poor answer would be left out just because it is poor.
    """
    layers = Layer.objects.filter(project=gate.project_id, kind=gate.board).exclude(status__in=OUT_OF_SIGHT)
    answers: list[dict[str, Layer]] = []
    for checkpoint in (gate.checkpoint, gate.rival):
        made = layers.filter(producer=checkpoint.producer_id).select_related("image").prefetch_related("prompts")
        answers.append({_asked(layer): layer for layer in made.order_by("image", "depth", "created_at")})
    ours, theirs = answers
    return [(layer, theirs[asked]) for asked, layer in ours.items() if asked in theirs]


def _asked(layer: Layer) -> str:
    prompts = sorted(json.dumps([p.kind, p.points, p.box, p.mask, p.text]) for p in layer.prompts.all())
    return json.dumps([str(layer.image_id), *prompts])
