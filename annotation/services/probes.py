"""Slots with a known answer, made for one person and put where an ordinary slot would have been."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from random import choice, random
from typing import Any

from django.db import connection, transaction
from django.db.models import CharField, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import MD5, Cast, Concat, Now

from annotation.models import COUNTING, GoldItem, QueuePolicy, Slot, SlotPurpose, SlotStatus, Verdict
from annotation.sampling import Mix, probes
from annotation.services.leases import GIVEN_BACK, lease_end
from engine.models import LayerStatus

SESSION_GAP = timedelta(minutes=30)
"""Without a new layer for so long, the next one begins a session."""

# The upsert and the count are one statement, so two tabs of one person count together. Like a lease, the count may be
# lost in a crash of the server, so its commit does not wait for the disk.
COUNT_SERVED = """
INSERT INTO annotation_assignee (project_id, user_id, is_paused, last_served_at, served_in_session)
SELECT %(project)s, %(user)s, false, statement_timestamp(), %(count)s
FROM (SELECT set_config('synchronous_commit', 'off', true)) AS mode
ON CONFLICT (project_id, user_id) DO UPDATE SET
  last_served_at = statement_timestamp(),
  served_in_session = %(count)s + CASE
    WHEN annotation_assignee.last_served_at > statement_timestamp() - %(gap)s THEN annotation_assignee.served_in_session
    ELSE 0 END
RETURNING served_in_session
"""


def mix_in_probes(user: Any, policy: QueuePolicy, slots: Sequence[Slot]) -> list[Slot]:
    """Replace some of the slots that were claimed anew: the slot goes back to the queue, the probe takes its place.

    Slots come from a claim, so each says whether it is ``is_fresh``. With nothing to probe with they stay.
    """
    fresh = [slot for slot in slots if getattr(slot, "is_fresh", False)]
    if not fresh:
        return list(slots)
    mix = Mix(policy.gold_first, policy.gold_rate, policy.mirror_rate)
    drawn = probes(mix, _count_served(user, policy, len(fresh)), len(fresh))
    plan = {slot.pk: purpose for slot, purpose in zip(fresh, drawn, strict=True)}
    if not any(plan.values()):
        return list(slots)
    with transaction.atomic():
        _end_old_probes(user, policy)
        made = {slot.pk: _made(user, policy, slot, plan.get(slot.pk)) for slot in slots}
        _give_back(user, [pk for pk, probe in made.items() if probe is not None])
    return [made[slot.pk] or slot for slot in slots]


def make_gold_probes(user: Any, policy: QueuePolicy, count: int) -> list[Slot]:
    """Up to ``count`` gold slots leased to the person."""
    with transaction.atomic():
        _end_old_probes(user, policy)
        layers = _gold(user, policy)[:count]
        return [_probe(user, policy, layer, SlotPurpose.GOLD, priority=0, random_key=random()) for layer in layers]


def _count_served(user: Any, policy: QueuePolicy, count: int) -> int:
    """How many new layers went before these in the session."""
    params = {"project": policy.project_id, "user": user.pk, "count": count, "gap": SESSION_GAP}
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SERVED, params)
        return int(cursor.fetchone()[0]) - count


def _made(user: Any, policy: QueuePolicy, slot: Slot, purpose: str | None) -> Slot | None:
    """The probe that goes to this slot's place; ``None`` where none is due or there is nothing to probe with."""
    if purpose is None:
        return None
    layers: Iterable[uuid.UUID] = _gold(user, policy)[:1] if purpose == SlotPurpose.GOLD else _mirror(user, policy)
    layer = next(iter(layers), None)
    if layer is None:
        return None
    return _probe(user, policy, layer, SlotPurpose(purpose), priority=slot.priority, random_key=slot.random_key)


def _give_back(user: Any, slots: Sequence[uuid.UUID]) -> None:
    """In one statement and without waiting: a slot that is locked is being taken from the person already."""
    held = Slot.objects.filter(pk__in=slots, holder=user, status=SlotStatus.LEASED)
    free = held.select_for_update(skip_locked=True, no_key=True).values("pk")
    Slot.objects.filter(pk__in=free).update(status=GIVEN_BACK, holder=None, available_at=Now())


def _probe(user: Any, policy: QueuePolicy, layer_id: uuid.UUID, purpose: SlotPurpose, **place: Any) -> Slot:
    slot = Slot.objects.create(
        project_id=policy.project_id,
        layer_id=layer_id,
        purpose=purpose,
        status=SlotStatus.LEASED,
        holder=user,
        available_at=lease_end(),
        **place,
    )
    slot.refresh_from_db(fields=["available_at"])
    return slot


def _end_old_probes(user: Any, policy: QueuePolicy) -> None:
    """Probes whose lease ended are nobody's; ordinary slots in that state go to whoever claims next.

    One that is locked is being answered late or ended in another tab of the person.
    """
    probes = Slot.objects.filter(project=policy.project_id, holder=user, status=SlotStatus.LEASED)
    ended = probes.exclude(purpose=SlotPurpose.JUDGEMENT).filter(available_at__lte=Now())
    free = ended.select_for_update(skip_locked=True, no_key=True).values("pk")
    Slot.objects.filter(pk__in=free).update(status=SlotStatus.RETIRED, holder=None)


def _gold(user: Any, policy: QueuePolicy) -> Any:
    """Gold layers the person has not seen, in an order of the person's own; then those seen longest ago.

    Never one seen among the last ``mirror_gap`` verdicts: it would be remembered.
    """
    own = Verdict.objects.filter(layer=OuterRef("layer"), annotator=user).order_by("-created_at").values("created_at")
    shuffled = MD5(Concat(Cast("id", CharField()), Value(str(user.pk))))
    items = (
        GoldItem.objects.filter(project=policy.project_id, is_active=True)
        .exclude(Q(layer__author=user) | Q(layer__status=LayerStatus.SUPERSEDED))
        .annotate(seen_at=Subquery(own[:1]))
    )
    before = _remembered_since(user, policy)
    forgotten = Q(seen_at=None) if before is None else Q(seen_at=None) | Q(seen_at__lt=before)
    return (
        items.filter(forgotten)
        .exclude(Q(layer__in=_held_layers(user)) | Q(layer__author=user, layer__author__isnull=False))
        .order_by(F("seen_at").asc(nulls_first=True), shuffled)
        .values_list("layer", flat=True)
    )


def _mirror(user: Any, policy: QueuePolicy) -> list[uuid.UUID]:
    """One layer that the person judged a while ago and has not been asked about again."""
    before = _remembered_since(user, policy)
    if before is None:
        return []
    own = Verdict.objects.filter(annotator=user, project=policy.project_id, undone_at=None, extra_reason="")
    again = own.filter(slot__purpose=SlotPurpose.MIRROR).values("layer")
    old = own.filter(slot__purpose=SlotPurpose.JUDGEMENT, decision__in=COUNTING, created_at__lt=before)
    old = old.exclude(layer__status=LayerStatus.SUPERSEDED)
    layers = old.exclude(layer__in=again).exclude(layer__in=_held_layers(user)).order_by("-created_at")
    newest = list(layers.values_list("layer", flat=True)[:50])
    return [choice(newest)] if newest else []


def _remembered_since(user: Any, policy: QueuePolicy) -> Any:
    """When the ``mirror_gap``-th last verdict of the person was given; ``None`` for fewer."""
    times = Verdict.objects.filter(annotator=user, project=policy.project_id).order_by("-created_at")
    return times.values_list("created_at", flat=True)[policy.mirror_gap : policy.mirror_gap + 1].first()


def _held_layers(user: Any) -> Any:
    return Slot.objects.filter(holder=user, status=SlotStatus.LEASED).values("layer")
