"""Who judges what now: a claim is one SQL statement, and every time in it is the database's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from annotation.models import Slot, SlotStatus
from annotation.selectors.policies import policy_and_standing
from annotation.services.gate import allowed, claim_test
from annotation.services.leases import GIVEN_BACK, lease_end
from annotation.services.probes import mix_in_probes
from annotation.services.slots import open_slots_when_dry
from engine.models import Project
from engine.refusals import Refusal

MOST_AT_ONCE = 10
"""A person holds at most so many layers of a project."""

# - `mode`: a lease may be lost in a crash of the server, so its commit does not wait for the disk.
# - `mine`: live leases come back first, so a second tab or a reload shows the same layers.
# - `fresh`: one walk along the partial index, past rows that somebody else is claiming in this moment. A layer is
#   offered by its lowest claimable slot only, so it cannot be served twice within one call. Nobody judges an own
#   repair, and nobody a layer that was repaired or settled, though a lease that ran meanwhile may have left a slot.
#   What the person has judged lies at the head of the queue while others still have to judge it, and passing it costs
#   several probes a row. So the walk begins at the first slot that was found in the last minutes; of the same priority
#   only, for what is more urgent is never passed by.
# - `chosen`: stops the walk as soon as there are enough; rows that are not needed are not locked.
# OFFSET 0 keeps both tests a probe per row. Without it the planner may join, which reads all verdicts of the person;
# NOT IN keeps it from reading the whole partial index beside the layer's own two or three rows.
# NO KEY UPDATE, because a verdict's foreign key takes KEY SHARE on its slot and is no reason to skip it.
CLAIM = """
WITH mode AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), mine AS (
    SELECT id FROM annotation_slot
    WHERE holder_id = %(user)s AND status = 'leased' AND project_id = %(project)s
      AND available_at > statement_timestamp()
      AND NOT EXISTS (
        SELECT FROM engine_layer layer WHERE layer.id = layer_id AND layer.status = 'superseded' OFFSET 0
      )
    ORDER BY priority DESC, random_key, position
    LIMIT %(count)s
    FOR NO KEY UPDATE SKIP LOCKED
), fresh AS (
    SELECT slot.id FROM annotation_slot slot
    WHERE slot.project_id = %(project)s AND slot.status IN ('open', 'leased') AND slot.purpose = 'judgement'
      AND slot.available_at <= statement_timestamp()
      AND NOT (slot.priority = %(passed_priority)s AND slot.random_key < %(passed_key)s)
      AND NOT EXISTS (
        SELECT FROM annotation_verdict verdict
        WHERE verdict.layer_id = slot.layer_id AND verdict.annotator_id = %(user)s
          AND (verdict.undone_at IS NULL OR verdict.is_recalled)
        OFFSET 0
      )
      AND NOT EXISTS (
        SELECT FROM annotation_slot other
        WHERE other.layer_id = slot.layer_id AND other.id <> slot.id AND other.status NOT IN ('filled', 'retired')
          AND (other.holder_id = %(user)s
               OR other.position < slot.position AND other.available_at <= statement_timestamp())
        OFFSET 0
      )
      AND NOT EXISTS (
        SELECT FROM engine_layer layer
        WHERE layer.id = slot.layer_id AND (layer.author_id = %(user)s OR layer.status <> 'ready')
        OFFSET 0
      )
    ORDER BY slot.priority DESC, slot.random_key, slot.position
    LIMIT %(count)s
    FOR NO KEY UPDATE OF slot SKIP LOCKED
), chosen AS MATERIALIZED (
    SELECT id, is_fresh
    FROM (SELECT id, false AS is_fresh FROM mine UNION ALL SELECT id, true FROM fresh) AS candidates, mode
    LIMIT %(count)s
)
UPDATE annotation_slot slot
SET status = 'leased', holder_id = %(user)s,
    available_at = statement_timestamp() + make_interval(secs => %(lease_s)s)
FROM chosen WHERE slot.id = chosen.id
RETURNING slot.*, chosen.is_fresh
"""
FROM_THE_HEAD = (0, -1.0)
"""Priority and random key for a walk that passes nothing by."""

# Like a lease it may be lost in a crash of the server, so its commit does not wait for the disk.
REMEMBER = """
INSERT INTO annotation_assignee (
  project_id, user_id, is_paused, served_in_session, passed_at, passed_priority, passed_key)
SELECT %(project)s, %(user)s, false, 0, statement_timestamp(), %(priority)s, %(key)s
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS mode
ON CONFLICT (project_id, user_id) DO UPDATE SET
  passed_at = excluded.passed_at, passed_priority = excluded.passed_priority, passed_key = excluded.passed_key
"""


def claim(*, user: Any, project: Project, count: int = 1) -> list[Slot]:
    """Up to ``count`` (at most ``MOST_AT_ONCE``) slots for this person, in queue order, leased for ``REVIEW_LEASE_S``.

    Live leases of the person come first and are prolonged; never a layer that the person has judged, also where an
    admin recalled it. When nothing is open, new layers are pulled once. Empty when there is nothing for this person.
    Where the project has a policy, probes take the place of some new layers, and before qualification of all. The
    caller has checked the role.

    Raises ``Refusal`` 403: ``paused``, ``daily_cap_reached``, ``not_qualified``.
    """
    policy, standing = policy_and_standing(user, project)
    count = allowed(user, project, standing, max(1, min(count, MOST_AT_ONCE)))
    if policy is not None and policy.qualification_items and standing.qualified_at is None:
        test = claim_test(user, policy, standing, count)
        if test is not None:
            return _in_order(test)
    slots = _walk(user, project, count, standing.passed)
    if not slots and open_slots_when_dry(project):
        slots = _claim(user, project, count)
    return _in_order(slots if policy is None else mix_in_probes(user, policy, slots))


def heartbeat(*, user: Any, slot_id: uuid.UUID) -> datetime:
    """Prolong the person's lease; its new end. A lease that ended but was not taken by somebody else lives again.

    Raises ``Refusal`` 409 ``lease_lost``.
    """
    held = Slot.objects.filter(pk=slot_id, status=SlotStatus.LEASED, holder=user)
    if not held.update(available_at=lease_end()):
        raise Refusal("lease_lost", "This layer is not yours any more.", 409)
    return held.values_list("available_at", flat=True).get()


def release(*, user: Any, slot_id: uuid.UUID) -> bool:
    """Give a slot back to the queue at its old place; ``False`` when the person did not hold it."""
    held = Slot.objects.filter(pk=slot_id, status=SlotStatus.LEASED, holder=user)
    return held.update(status=GIVEN_BACK, holder=None, available_at=Now()) == 1


def _in_order(slots: Sequence[Slot]) -> list[Slot]:
    return sorted(slots, key=lambda slot: (-slot.priority, slot.random_key, slot.position or 0))


def _walk(user: Any, project: Project, count: int, passed: tuple[int, float] | None) -> list[Slot]:
    """From the remembered place, if there is one and enough lies behind it; otherwise from the head of the queue."""
    if passed is not None:
        slots = _claim(user, project, count, passed)
        if len(slots) == count:
            return slots
    slots = _claim(user, project, count)
    fresh = _in_order([slot for slot in slots if getattr(slot, "is_fresh", False)])
    if fresh:
        with connection.cursor() as cursor:
            place = {"priority": fresh[0].priority, "key": fresh[0].random_key}
            cursor.execute(REMEMBER, {"project": project.pk, "user": user.pk, **place})
    return slots


def _claim(user: Any, project: Project, count: int, passed: tuple[int, float] = FROM_THE_HEAD) -> list[Slot]:
    params = {"user": user.pk, "project": project.pk, "count": count, "lease_s": settings.REVIEW_LEASE_S}
    params |= {"passed_priority": passed[0], "passed_key": passed[1]}
    try:
        return list(Slot.objects.raw(CLAIM, params))
    except IntegrityError:
        # Two tabs of one person took two slots of one layer in the same moment. The other one has its lease now.
        return list(Slot.objects.raw(CLAIM, params))
