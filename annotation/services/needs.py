"""How many judgements a layer needs, changed while people judge."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from annotation.agreement import consensus
from annotation.models import AuditEvent, AuditVerb, Decision, Slot, SlotPurpose, SlotStatus, Verdict
from annotation.services.audit import note
from annotation.services.slots import balance_slots, open_slots
from engine.models import Layer, LayerStatus, Project
from engine.services.layers import set_layers_status
from engine.services.projects import change_project

CHUNK = 2000

# Layers that may have more slots or more judgements than they need; not those that wait for a reviewer.
TOO_MUCH = """
SELECT slot.layer_id FROM annotation_slot slot JOIN engine_layer layer ON layer.id = slot.layer_id
WHERE slot.project_id = %(project)s AND slot.purpose = 'judgement' AND slot.status <> 'retired'
  AND layer.status = 'ready'
  AND NOT EXISTS (SELECT FROM annotation_adjudication open WHERE open.layer_id = layer.id AND open.ruling = '')
GROUP BY slot.layer_id
HAVING count(*) > %(needed)s OR count(*) FILTER (WHERE slot.status = 'filled') >= %(needed)s
"""

# Open slots go, the highest position first. Leased ones are left to their holders.
RETIRE_SURPLUS = """
WITH wanted AS (SELECT * FROM unnest(%(layers)s::uuid[], %(totals)s::int[]) AS wanted (layer_id, total)),
numbered AS (
    SELECT slot.id, slot.status, wanted.total, count(*) OVER (PARTITION BY slot.layer_id) AS live,
      row_number() OVER (PARTITION BY slot.layer_id, slot.status ORDER BY slot.position DESC) AS number
    FROM annotation_slot slot JOIN wanted USING (layer_id)
    WHERE slot.purpose = 'judgement' AND slot.status <> 'retired'
)
UPDATE annotation_slot slot SET status = 'retired' FROM numbered
WHERE slot.id = numbered.id AND slot.status = 'open' AND numbered.number <= numbered.live - numbered.total
"""


def change_needed_judgements(*, project: Project, needed: int, actor: Any = None) -> Project:
    """Set k and bring the queue to it at once: slots are added or retired, layers that have enough are settled.

    Layers that were settled before stay as they were settled. Raises ``Refusal`` 400 ``invalid`` for k outside 1..9.
    """
    with transaction.atomic():
        before = Project.objects.select_for_update(no_key=True).get(pk=project.pk).needed_judgements
        changed = change_project(project=project, needed_judgements=needed)
        if before != needed:
            note(AuditVerb.NEEDED_CHANGED, project_id=project.pk, actor=actor, before=before, after=needed)
        fit_slots(changed)
    return changed


def fit_slots(project: Project) -> None:
    """Give every ready layer exactly the slots it needs, and settle those whose judgements are enough.

    Again changes nothing. Costs time in proportion to the project's slots.
    """
    with transaction.atomic():
        needed = Project.objects.select_for_update(no_key=True).get(pk=project.pk).needed_judgements
        with connection.cursor() as cursor:
            cursor.execute(TOO_MUCH, {"project": project.pk, "needed": needed})
            layers = sorted(layer_id for (layer_id,) in cursor.fetchall())
        for start in range(0, len(layers), CHUNK):
            _fit(layers[start : start + CHUNK], needed)
        open_slots(project)


def _fit(layer_ids: Sequence[uuid.UUID], needed: int) -> None:
    """Under the layers' locks, so that no verdict comes between counting and settling."""
    ready = Layer.objects.filter(pk__in=layer_ids, status=LayerStatus.READY).order_by("pk")
    layers = list(ready.select_for_update(no_key=True).values_list("pk", "project_id"))
    said = defaultdict(list)
    counted = Verdict.objects.filter(layer__in=layer_ids, is_counted=True)
    for layer_id, decision in counted.values_list("layer_id", "decision"):
        said[layer_id].append(decision == Decision.ACCEPT)
    settled: dict[bool, list[uuid.UUID]] = {True: [], False: []}
    totals: dict[uuid.UUID, int] = {}
    for layer_id, _ in layers:
        result = consensus(said[layer_id], needed)
        totals[layer_id] = len(said[layer_id]) + result.more
        if result.is_accepted is not None:
            settled[result.is_accepted].append(layer_id)
    with connection.cursor() as cursor:
        cursor.execute(RETIRE_SURPLUS, {"layers": list(totals), "totals": list(totals.values())})
    set_layers_status(settled[True], expected=LayerStatus.READY, status=LayerStatus.ACCEPTED)
    set_layers_status(settled[False], expected=LayerStatus.READY, status=LayerStatus.REJECTED)
    AuditEvent.objects.bulk_create(
        AuditEvent(verb=AuditVerb.LAYER_SETTLED, project_id=project_id, layer_id=layer_id, facts={"needed": needed})
        for layer_id, project_id in layers
        if layer_id in {*settled[True], *settled[False]}
    )
    for layer_id in _tied(totals, needed):
        balance_slots(layer_id, totals[layer_id])


def _tied(totals: dict[uuid.UUID, int], needed: int) -> list[uuid.UUID]:
    """Layers that need one more judgement than k and have no slot for it."""
    wanting = [layer_id for layer_id, total in totals.items() if total > needed]
    slots = Slot.objects.filter(layer__in=wanting, purpose=SlotPurpose.JUDGEMENT).exclude(status=SlotStatus.RETIRED)
    live = Counter(slots.values_list("layer_id", flat=True))
    return [layer_id for layer_id in wanting if live[layer_id] < totals[layer_id]]
