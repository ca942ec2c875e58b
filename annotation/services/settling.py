"""From judgements to a layer's status: at once when it is clear, one more person or a reviewer when it is not."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import connection

from annotation.agreement import consensus
from annotation.models import AdjudicationReason, Decision, GoldItem, Ruling, Verdict
from annotation.selectors.policies import policy_of
from annotation.services.adjudications import is_adjudicated, open_adjudication, withdraw_adjudication
from annotation.services.slots import balance_slots, retire_slots
from engine.models import Layer, LayerStatus, Project
from engine.services.layers import set_layer_status

LOCK = """
SELECT layer.project_id, layer.status, project.needed_judgements
FROM engine_layer layer JOIN engine_project project ON project.id = layer.project_id
WHERE layer.id = %s FOR NO KEY UPDATE OF layer
"""


def lock_layer(layer_id: uuid.UUID) -> Layer:
    """Whatever may settle a layer holds this lock, so that its last two judgements see each other."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [layer_id])
        project_id, status, needed = cursor.fetchone()
    layer = Layer.from_db(connection.alias, ["id", "project_id", "status"], [layer_id, project_id, status])
    layer.project = Project.from_db(connection.alias, ["id", "needed_judgements"], [project_id, needed])
    return layer


def settle(layer: Layer, decisions: Sequence[str]) -> None:
    """Apply the consensus rule to the counted decisions of a ready layer that waits for no reviewer.

    The caller holds the layer's lock.
    """
    needed = layer.project.needed_judgements
    result = consensus([decision == Decision.ACCEPT for decision in decisions], needed)
    if result.is_accepted is not None:
        status = LayerStatus.ACCEPTED if result.is_accepted else LayerStatus.REJECTED
        set_layer_status(layer.pk, expected=LayerStatus.READY, status=status)
        retire_slots(layer.pk)
    elif len(decisions) >= needed and policy_of(layer.project_id).is_conflict_adjudicated:
        open_adjudication(layer, AdjudicationReason.CONFLICT)
    else:
        balance_slots(layer.pk, len(decisions) + result.more)


def reopen(layer: Layer, status: str) -> None:
    """Back to the queue after a verdict was taken back, from ``status``; as many slots as it needs now.

    The caller holds the lock. A layer that a reviewer still has to look at stays out of the queue.
    """
    if status in (LayerStatus.ACCEPTED, LayerStatus.REJECTED):
        set_layer_status(layer.pk, expected=status, status=LayerStatus.READY)
    withdraw_adjudication(layer)
    if not is_adjudicated(layer.pk):
        counted = Verdict.objects.filter(layer=layer, is_counted=True).count()
        balance_slots(layer.pk, max(layer.project.needed_judgements, counted + 1))


def is_settled_by_a_reviewer(layer_id: uuid.UUID) -> bool:
    """Then no annotator's change of mind opens it again."""
    return bool(settled_by_reviewers([layer_id]))


def settled_by_reviewers(layer_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these layers that are gold, or settled by a ruling."""
    gold = GoldItem.objects.filter(layer__in=layer_ids).values_list("layer_id", flat=True)
    ruled = Layer.objects.filter(pk__in=layer_ids, adjudications__ruling__in=(Ruling.ACCEPT, Ruling.REJECT))
    return {*gold, *ruled.exclude(status=LayerStatus.READY).values_list("pk", flat=True)}
