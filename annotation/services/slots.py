"""How many slots a layer has: pulled from the layers that need judging, by whole sets of rows."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from annotation.models import CLAIMABLE, Slot, SlotPurpose, SlotStatus
from annotation.sampling import NEAR_A_THRESHOLD, Priority
from engine.models import LayerStatus, Project

NEAR = " OR ".join(
    f"(layer.scores ->> '{score}')::float8 BETWEEN {low} AND {high}" for score, (low, high) in NEAR_A_THRESHOLD.items()
)
# `held`: slots of a layer are made only by who holds the layer. One that is held in this moment gets its judgement, and
# with it the slots it needs; so nobody waits for anybody.
OPEN = f"""
WITH short AS MATERIALIZED (
    SELECT layer.id, coalesce(min(slot.random_key), random()) AS random_key,
      coalesce(max(slot.priority), CASE
        WHEN bool_or(producer.kind = 'person') THEN {Priority.RETURNED:d}
        WHEN bool_or({NEAR}) THEN {Priority.UNCERTAIN:d}
        ELSE {Priority.PLAIN:d} END) AS priority
    FROM engine_layer layer
    JOIN engine_producer producer ON producer.id = layer.producer_id
    LEFT JOIN annotation_slot slot ON slot.layer_id = layer.id AND slot.purpose = 'judgement'
    WHERE layer.project_id = %(project)s AND layer.status = 'ready'
      AND layer.created_at > coalesce(%(since)s::timestamptz, '-infinity')
      AND NOT EXISTS (SELECT FROM annotation_adjudication open WHERE open.layer_id = layer.id AND open.ruling = '')
    GROUP BY layer.id
    HAVING count(*) FILTER (WHERE slot.status <> 'retired') < %(needed)s
), held AS MATERIALIZED (
    SELECT short.* FROM short JOIN engine_layer layer ON layer.id = short.id WHERE layer.status = 'ready'
    FOR NO KEY UPDATE OF layer SKIP LOCKED
)
INSERT INTO annotation_slot (id, project_id, layer_id, position, status, available_at, priority, random_key)
SELECT gen_random_uuid(), %(project)s, held.id, wanted.position, 'open', statement_timestamp(), held.priority,
  held.random_key
FROM held CROSS JOIN generate_series(1, %(needed)s) AS wanted (position)
WHERE NOT EXISTS (
    SELECT FROM annotation_slot live
    WHERE live.layer_id = held.id AND live.position = wanted.position AND live.status <> 'retired'
)
ON CONFLICT (layer_id, position) DO UPDATE SET status = 'open', available_at = statement_timestamp()
WHERE annotation_slot.status = 'retired'
"""  # noqa: S608 (numbers and names of the table above)

RETIRE = """
UPDATE annotation_slot SET status = 'retired', holder_id = NULL
WHERE layer_id = %s AND status IN ('open', 'leased') AND available_at <= statement_timestamp()
"""
WORTH_COUNTING = 1000
"""After so many new rows the planner's statistics are renewed at once; until then it takes the queue for empty."""


def open_slots(project: Project) -> int:
    """Give every ready layer its needed slots and retire the open ones of layers that are ready no longer.

    Returns how many were opened. Calling it again changes nothing. One caller per project at a time; the others wait.
    Costs time in proportion to the ready layers.
    """
    with transaction.atomic():
        needed = _lock(project)
        _retire_settled(project)
        _retire_abandoned_probes(project)
        return _open(project, needed)


def open_slots_of_new_layers(project: Project, since: datetime) -> int:
    """The same for layers made after ``since`` only, at the cost of those."""
    with transaction.atomic():
        return _open(project, _lock(project), since)


def open_slots_when_dry(project: Project) -> bool:
    """As ``open_slots``, unless something is open; whether the queue has open slots now.

    Many people meet an empty queue at once; the first one in fills it and the rest see that it is filled.
    """
    with transaction.atomic():
        needed = _lock(project)
        _retire_settled(project)
        _retire_abandoned_probes(project)
        return _has_open(project) or _open(project, needed) > 0


def balance_slots(layer_id: uuid.UUID, total: int) -> None:
    """Bring one layer to ``total`` slots that are filled, leased or open. The caller holds the layer's lock.

    Leased slots are left to their holders, so that nobody's work is taken away.
    """
    slots = list(Slot.objects.filter(layer_id=layer_id, purpose=SlotPurpose.JUDGEMENT).order_by("position"))
    live = [slot for slot in slots if slot.status != SlotStatus.RETIRED]
    if len(live) > total:
        surplus = [slot.pk for slot in reversed(live) if slot.status == SlotStatus.OPEN][: len(live) - total]
        _retire(Slot.objects.filter(pk__in=surplus))
        return
    missing = total - len(live)
    retired = [slot.pk for slot in slots if slot.status == SlotStatus.RETIRED][:missing]
    Slot.objects.filter(pk__in=retired).update(status=SlotStatus.OPEN, available_at=Now())
    first, top = slots[0], slots[-1].position or 0
    Slot.objects.bulk_create(
        Slot(
            project_id=first.project_id,
            layer_id=layer_id,
            position=top + number,
            available_at=Now(),
            priority=first.priority,
            random_key=first.random_key,
        )
        for number in range(1, missing - len(retired) + 1)
    )


def retire_slots(layer_id: uuid.UUID) -> int:
    """Retire the open slots of a layer that needs no further judgement."""
    with connection.cursor() as cursor:
        cursor.execute(RETIRE, [layer_id])
        return cursor.rowcount


def _retire_settled(project: Project) -> int:
    """What a settled layer left: leases that ran when it was settled and have ended since."""
    return _retire(Slot.objects.filter(project=project).exclude(layer__status=LayerStatus.READY))


def _retire_abandoned_probes(project: Project) -> int:
    """Probes whose lease ended: each was made for one person, who may never come back for it."""
    return _retire(Slot.objects.filter(project=project).exclude(purpose=SlotPurpose.JUDGEMENT))


def _retire(slots: QuerySet[Slot]) -> int:
    """Open ones, and leases that ended; not those that somebody is claiming or answering in this moment.

    Those who answer hold their layer and wait for its slots, so to wait for them here could stop both for good.
    """
    claimable = slots.filter(status__in=CLAIMABLE, available_at__lte=Now())
    free = claimable.select_for_update(skip_locked=True, no_key=True, of=("self",)).values("pk")
    return Slot.objects.filter(pk__in=free).update(status=SlotStatus.RETIRED, holder=None)


def _has_open(project: Project) -> bool:
    return Slot.objects.filter(project=project, status=SlotStatus.OPEN).exists()


def _lock(project: Project) -> int:
    """Serialises pulls of one project; returns the judgements needed as they stand under the lock."""
    return Project.objects.select_for_update(no_key=True).get(pk=project.pk).needed_judgements


def _open(project: Project, needed: int, since: datetime | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"project": project.pk, "needed": needed, "since": since})
        opened = cursor.rowcount
        if opened >= WORTH_COUNTING:
            cursor.execute("ANALYZE annotation_slot")
    return opened
