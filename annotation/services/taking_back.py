"""Verdicts taken back layer by layer: those layers are judged again, and what was said stays as history."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from annotation.models import Adjudication, AuditEvent, AuditVerb, Slot, SlotStatus, Verdict
from annotation.sampling import Priority
from annotation.services.adjudications import withdraw_adjudication
from annotation.services.settling import settled_by_reviewers
from annotation.services.slots import balance_slots, retire_slots
from engine.models import Layer, LayerStatus
from engine.services.layers import set_layers_status

JUDGED = (LayerStatus.READY, LayerStatus.ACCEPTED, LayerStatus.REJECTED)

# Layers whose slots are not as many as they need: k, or one more than the judgements there are.
UNFIT = """
SELECT layer.id, needed.total
FROM engine_layer layer JOIN engine_project project ON project.id = layer.project_id
CROSS JOIN LATERAL (
    SELECT count(*) AS live, greatest(project.needed_judgements, 1 + count(*) FILTER (WHERE status = 'filled')) AS total
    FROM annotation_slot WHERE layer_id = layer.id AND purpose = 'judgement' AND status <> 'retired'
) AS needed
WHERE layer.id = ANY(%s) AND needed.live <> needed.total
"""


@transaction.atomic
def take_back(layer_ids: list[uuid.UUID], verdicts: QuerySet[Verdict], verb: AuditVerb, actor: Any) -> int:
    """Take these verdicts on these layers back; how many. A few statements, whatever the number of layers.

    Where a reviewer has decided, the decision stands; with ``REQUEUED`` such layers are left alone.
    """
    locked = Layer.objects.filter(pk__in=layer_ids).order_by("pk").select_for_update(no_key=True)
    statuses = dict(locked.values_list("pk", "status"))
    decided = settled_by_reviewers(layer_ids)
    open_again = [pk for pk, status in statuses.items() if status in JUDGED and pk not in decided]
    if verb == AuditVerb.REQUEUED:
        verdicts = verdicts.filter(layer__in=open_again)
    said = list(verdicts.select_related("annotator"))
    Verdict.objects.filter(pk__in=[verdict.pk for verdict in said]).update(
        is_counted=False, undone_at=Now(), is_recalled=verb == AuditVerb.RECALLED
    )
    slots = Slot.objects.filter(pk__in=[verdict.slot_id for verdict in said], status=SlotStatus.FILLED)
    slots.exclude(layer__in=open_again).update(status=SlotStatus.RETIRED)
    slots.filter(layer__in=open_again).update(status=SlotStatus.OPEN, available_at=Now(), priority=Priority.RETURNED)
    for status in (LayerStatus.ACCEPTED, LayerStatus.REJECTED):
        settled = [pk for pk in open_again if statuses[pk] == status]
        set_layers_status(settled, expected=status, status=LayerStatus.READY)
    _bring_back(open_again)
    AuditEvent.objects.bulk_create(
        AuditEvent(
            verb=verb,
            project_id=verdict.project_id,
            layer_id=verdict.layer_id,
            actor=actor,
            facts={"verdict": str(verdict.pk), "decision": verdict.decision, "person": verdict.annotator.username},
        )
        for verdict in said
    )
    return len(said)


def _bring_back(layer_ids: list[uuid.UUID]) -> None:
    """As many slots as each layer needs now; those that a reviewer still has to look at stay out of the queue."""
    for pending in Adjudication.objects.filter(layer__in=layer_ids, ruling="").select_related("layer__project"):
        withdraw_adjudication(pending.layer)
    waiting = set(Adjudication.objects.filter(layer__in=layer_ids, ruling="").values_list("layer_id", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(UNFIT, [[pk for pk in layer_ids if pk not in waiting]])
        unfit = cursor.fetchall()
    for layer_id, total in unfit:
        balance_slots(layer_id, total)
    for layer_id in waiting:
        retire_slots(layer_id)
