"""What a decided gate casts doubt on goes back to the review queue, each with its reason."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from annotation.pairing import same_things
from annotation.services.second_looks import ask_again
from engine.imaging import decode_png, iou
from engine.models import Layer, LayerStatus, Producer
from engine.records import Mask
from evaluation.models import DECIDED_GATES, Gate, GateStatus
from evaluation.selectors.gates import items_that_got_worse

LEAST_IOU = 0.8
"""With an accepted layer of the same thing; below it the new checkpoint disagrees with what people accepted."""
MOST_RETURNED = 40
"""Of one gate: a weak checkpoint disagrees with everything, and people's time is worth more than that."""


def return_doubtful(gate: Gate) -> int:
    """Once for every decided gate: ask one more person about what it disagrees with; how many layers came back."""
    waiting = Gate.objects.filter(pk=gate.pk, status__in=DECIDED_GATES, returned_at=None)
    if not waiting.exists():
        return 0
    doubts = doubtful_layers(gate)[:MOST_RETURNED]
    # All or nothing, so that whoever is stopped in between leaves the gate to the next; layers are locked by their ids,
    # as by everybody who locks several.
    with transaction.atomic():
        if not waiting.update(returned_at=timezone.now()):
            return 0
        asked = {layer_id for layer_id, reason in sorted(doubts) if ask_again(layer_id=layer_id, reason=reason)}
        returned = [{"layer": str(layer_id), "reason": reason} for layer_id, reason in doubts if layer_id in asked]
        Gate.objects.filter(pk=gate.pk).update(returned=returned)
    gate.refresh_from_db()
    return len(returned)


def doubtful_layers(gate: Gate) -> list[tuple[uuid.UUID, str]]:
    """Accepted layers with the reason, the strongest doubt first; none of a checkpoint that was rejected.

    A checkpoint that lost the votes is not believed against people.
    """
    found = _disagreements(gate) if gate.status != GateStatus.REJECTED else []
    known = {layer for layer, _ in found}
    for answer, lost in items_that_got_worse(gate.run, gate.rival_run):
        layer = answer.item.layer
        if layer is not None and layer.pk not in known:
            found.append((layer.pk, f"{gate.checkpoint} does worse on it than {gate.rival}, by {lost:.2f} soft IoU"))
    return found


def _disagreements(gate: Gate) -> list[tuple[uuid.UUID, str]]:
    people = Layer.objects.filter(project=gate.project_id, kind=gate.board, status=LayerStatus.ACCEPTED)
    people = people.exclude(producer__kind=Producer.Kind.CHECKPOINT)
    scored: list[tuple[float, uuid.UUID]] = []
    theirs: dict[uuid.UUID, list[Layer]] = {}
    for layer in Layer.objects.filter(producer=gate.checkpoint.producer_id, project=gate.project_id, kind=gate.board):
        theirs.setdefault(layer.image_id, []).append(layer)
    by_image: dict[uuid.UUID, list[Layer]] = {}
    for layer in people.filter(image__in=list(theirs)):
        by_image.setdefault(layer.image_id, []).append(layer)
    for image, accepted in by_image.items():
        for one, other in same_things(accepted, theirs[image]):
            overlap = iou(_amodal(one), _amodal(other))
            if overlap < LEAST_IOU:
                scored.append((float(overlap), one.pk))
    return [
        (layer, f"{gate.checkpoint} sees another shape: IoU {overlap:.2f} with what was accepted")
        for overlap, layer in sorted(scored, key=lambda row: (row[0], str(row[1])))
    ]


def _amodal(layer: Layer) -> Mask:
    with layer.rgba.open("rb") as file:
        mask: Mask = decode_png(file.read())[..., 3] > 127
    return mask
