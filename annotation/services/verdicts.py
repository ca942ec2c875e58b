"""Judgements: written once, counted at most once, never lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models import (
    COUNTING,
    AdjudicationReason,
    AuditVerb,
    Decision,
    ExtraReason,
    Slot,
    SlotPurpose,
    SlotStatus,
    Verdict,
)
from annotation.services.adjudications import after_unsure, is_adjudicated, open_adjudication
from annotation.services.audit import note as write_audit
from annotation.services.leases import lease_end
from annotation.services.qualification import has_failed_test, qualify
from annotation.services.settling import is_settled_by_a_reviewer, lock_layer, reopen, settle
from engine.models import Layer, LayerStatus
from engine.refusals import Refusal

UNDO_DEPTH = 50
"""So many of the last decisions of a project may be taken back; what lies further back has been built upon."""

# Plain SQL where every verdict passes, and one statement for three questions: each trip to the database costs as much
# as its work. The layer is locked, so the answers hold until the transaction ends.
# - `counted`: who said what of the layer, as it counts.
# - `gone`: the slot moved on by compare-and-set; none when somebody else has or had it, or the person's word counts
#   already or was recalled.
TAKE = """
WITH counted AS (
    SELECT annotator_id, decision FROM annotation_verdict WHERE layer_id = %(layer)s AND is_counted
), gone AS (
    UPDATE annotation_slot SET status = %(status)s, holder_id = NULL, available_at = statement_timestamp()
    WHERE id = %(slot)s AND (status = 'leased' AND holder_id = %(user)s OR status = 'open')
      AND NOT EXISTS (SELECT FROM counted WHERE annotator_id = %(user)s)
      AND NOT EXISTS (
        SELECT FROM annotation_verdict WHERE layer_id = %(layer)s AND annotator_id = %(user)s AND is_recalled
      )
    RETURNING id
)
SELECT EXISTS (SELECT FROM gone), (SELECT coalesce(array_agg(decision), '{}') FROM counted),
  EXISTS (SELECT FROM annotation_adjudication WHERE layer_id = %(layer)s AND ruling = '')
"""


def record_verdict(
    *,
    user: Any,
    slot: Slot,
    decision: str,
    client_id: str,
    defects: Sequence[dict[str, Any]] = (),
    note: str = "",
    active_ms: int = 0,
) -> tuple[Verdict, bool]:
    """Store a judgement and, when it was the last one needed, settle the layer. ``True`` beside it when it is new.

    The same ``client_id`` again answers as the first time. A lease that ended is no obstacle while nobody else took
    the slot. Raises ``Refusal`` 409: ``client_id_reused`` for other content under a known id; ``lease_lost`` or
    ``layer_settled`` when the verdict came too late and was stored as an extra that does not count.
    """
    says = {"slot_id": slot.pk, "decision": decision, "defects": list(defects), "note": note}
    is_new = True
    try:
        with transaction.atomic():
            verdict = _record(user, slot, Verdict(client_id=client_id, active_ms=active_ms, **says))
    except IntegrityError:
        # The id is known: it came a second time. That is rare, so nobody looks for it beforehand.
        known = Verdict.objects.filter(annotator=user, client_id=client_id).first()
        if known is None:
            raise
        verdict, is_new = known, False
    if any(getattr(verdict, name) != value for name, value in says.items()):
        raise Refusal("client_id_reused", "This client_id belongs to another verdict of yours.", 409)
    if verdict.extra_reason:
        label = ExtraReason(verdict.extra_reason).label
        raise Refusal(verdict.extra_reason, f"{label} Your verdict is kept but does not count.", 409)
    return verdict, is_new


def undo(*, user: Any, verdict: Verdict) -> Slot:
    """Take one's own verdict back: it stays as history, the slot is leased to the person again, the layer is ready.

    Again on the same verdict: the same answer while the person holds the slot. Raises ``Refusal`` 409:
    ``not_undoable`` for an extra, for a layer on which a reviewer has decided or which was mended since, and for a
    failed test; ``too_old`` behind the last ``UNDO_DEPTH`` decisions; ``slot_taken`` when the slot of an unsure
    verdict went to somebody else.
    """
    if verdict.extra_reason:
        raise Refusal("not_undoable", "This verdict did not count, so there is nothing to take back.", 409)
    with transaction.atomic():
        layer = lock_layer(verdict.layer_id)
        verdict.refresh_from_db()
        held = Slot.objects.filter(pk=verdict.slot_id, holder=user, status=SlotStatus.LEASED).select_related("project")
        if verdict.undone_at is None:
            slot = Slot.objects.get(pk=verdict.slot_id)
            if _said_since(verdict) >= UNDO_DEPTH:
                raise Refusal("too_old", f"Only your last {UNDO_DEPTH} decisions can be taken back.", 409)
            if slot.purpose == SlotPurpose.GOLD and has_failed_test(user, slot.project_id):
                raise Refusal("not_undoable", "Your test is over; its answers stay.", 409)
            if slot.purpose == SlotPurpose.JUDGEMENT and verdict.is_counted and is_settled_by_a_reviewer(layer.pk):
                raise Refusal("not_undoable", "A reviewer has decided on this layer; your verdict stays.", 409)
            if layer.status == LayerStatus.SUPERSEDED:
                raise Refusal("not_undoable", "This layer was mended since; your verdict stays.", 409)
            left = Slot.objects.filter(pk=slot.pk, status__in=_left_as(slot, verdict, layer))
            if left.update(status=SlotStatus.LEASED, holder=user, available_at=lease_end()):
                Verdict.objects.filter(pk=verdict.pk).update(is_counted=False, undone_at=Now())
                facts = {"verdict": str(verdict.pk), "decision": verdict.decision}
                write_audit(
                    AuditVerb.VERDICT_UNDONE, project_id=slot.project_id, layer_id=layer.pk, actor=user, **facts
                )
                if slot.purpose == SlotPurpose.JUDGEMENT and (verdict.is_counted or is_adjudicated(layer.pk)):
                    reopen(layer, layer.status)
        taken_back = held.first()
        if taken_back is None:
            raise Refusal("slot_taken", "Somebody else judges this layer now; your verdict stays.", 409)
    return taken_back


def _record(user: Any, slot: Slot, verdict: Verdict) -> Verdict:
    """In a transaction."""
    verdict.project_id, verdict.layer_id, verdict.annotator_id = slot.project_id, slot.layer_id, user.pk
    if slot.purpose != SlotPurpose.JUDGEMENT:
        return _answer_probe(user, slot, verdict)
    layer = lock_layer(slot.layer_id)
    is_ready = layer.status == LayerStatus.READY
    took, said, waits_for_a_reviewer = _take(user, slot, verdict, is_ready)
    if not took:
        verdict.extra_reason = ExtraReason.LEASE_LOST
    elif not is_ready:
        verdict.extra_reason = ExtraReason.LAYER_SETTLED
    verdict.is_counted = not verdict.extra_reason and verdict.decision in COUNTING
    verdict.save(force_insert=True)
    if verdict.is_counted and not waits_for_a_reviewer:
        settle(layer, [*said, verdict.decision])
    elif not verdict.extra_reason and verdict.decision == Decision.UNSURE:
        after_unsure(layer)
    elif not verdict.extra_reason and verdict.decision == Decision.BROKEN:
        open_adjudication(layer, AdjudicationReason.BROKEN)
    return verdict


def _answer_probe(user: Any, slot: Slot, verdict: Verdict) -> Verdict:
    """It never counts for the layer. Late after a release is as good as in time, as it is for any slot."""
    mine_or_given_back = Q(status=SlotStatus.LEASED, holder=user) | Q(status=SlotStatus.RETIRED)
    answered = Slot.objects.filter(mine_or_given_back, pk=slot.pk).update(status=SlotStatus.FILLED, holder=None)
    verdict.extra_reason = "" if answered else ExtraReason.LEASE_LOST
    verdict.is_counted = False
    verdict.save(force_insert=True)
    if answered and slot.purpose == SlotPurpose.GOLD:
        qualify(user, slot.project_id)
    return verdict


def _said_since(verdict: Verdict) -> int:
    """How many decisions of the person in the project are newer, counted no further than matters."""
    newer = Verdict.objects.filter(
        annotator=verdict.annotator_id,
        project=verdict.project_id,
        created_at__gt=verdict.created_at,
        undone_at=None,
        extra_reason="",
    )
    return newer.order_by()[:UNDO_DEPTH].count()


def _take(user: Any, slot: Slot, verdict: Verdict, is_ready: bool) -> tuple[bool, list[str], bool]:
    """Whether the slot was the person's to leave, what counted of the layer before, and whether a reviewer has it."""
    if not is_ready or verdict.decision == Decision.BROKEN:
        status = SlotStatus.RETIRED
    elif verdict.decision == Decision.UNSURE:
        status = SlotStatus.OPEN
    else:
        status = SlotStatus.FILLED
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"layer": slot.layer_id, "slot": slot.pk, "status": status, "user": user.pk})
        return cursor.fetchone()


def _left_as(slot: Slot, verdict: Verdict, layer: Layer) -> tuple[SlotStatus, ...]:
    """The states in which the slot is still as the verdict left it."""
    if verdict.is_counted or slot.purpose != SlotPurpose.JUDGEMENT:
        return (SlotStatus.FILLED,)
    if is_adjudicated(layer.pk):
        return (SlotStatus.RETIRED,)
    return (SlotStatus.OPEN,) if verdict.decision == Decision.UNSURE else ()
