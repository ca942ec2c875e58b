"""Layers that a reviewer has to decide: taken out of the queue, ruled on once."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from annotation.models import (
    Adjudication,
    AdjudicationReason,
    AuditVerb,
    Decision,
    Ruling,
    Slot,
    SlotPurpose,
    SlotStatus,
    Verdict,
)
from annotation.sampling import Priority
from annotation.selectors.policies import policy_of
from annotation.services.audit import note as write_audit
from annotation.services.slots import balance_slots, retire_slots
from engine.models import Layer, LayerStatus
from engine.refusals import Refusal
from engine.services.layers import set_layer_status

WORDS = {AdjudicationReason.UNSURE: Decision.UNSURE, AdjudicationReason.BROKEN: Decision.BROKEN}


def is_adjudicated(layer_id: uuid.UUID) -> bool:
    return Adjudication.objects.filter(layer=layer_id, ruling="").exists()


def open_adjudication(layer: Layer, reason: AdjudicationReason) -> None:
    """Take a ready layer out of the queue; leases that run are left to their holders. Again: nothing new.

    The caller holds the layer's lock.
    """
    retire_slots(layer.pk)
    if not is_adjudicated(layer.pk):
        Adjudication.objects.create(project_id=layer.project_id, layer=layer, reason=reason)
        write_audit(AuditVerb.ADJUDICATION_OPENED, project_id=layer.project_id, layer_id=layer.pk, reason=reason)


def after_unsure(layer: Layer) -> None:
    """Serve it to somebody else before plain layers; once too many people were unsure, let a reviewer decide."""
    if _said(layer, Decision.UNSURE) >= policy_of(layer.project_id).unsure_limit:
        open_adjudication(layer, AdjudicationReason.UNSURE)
    else:
        waiting = Slot.objects.filter(layer=layer, purpose=SlotPurpose.JUDGEMENT, status=SlotStatus.OPEN)
        waiting.filter(priority__lt=Priority.UNSURE).update(priority=Priority.UNSURE)


def withdraw_adjudication(layer: Layer) -> None:
    """Remove the open adjudication of a layer when the verdicts that asked for it were taken back."""
    pending = Adjudication.objects.filter(layer=layer, ruling="").first()
    if pending is None:
        return
    reason = AdjudicationReason(pending.reason)
    if reason in WORDS:
        least = policy_of(layer.project_id).unsure_limit if reason == AdjudicationReason.UNSURE else 1
        if _said(layer, WORDS[reason]) >= least:
            return
    pending.delete()


def decide(*, adjudication_id: uuid.UUID, reviewer: Any, ruling: str, note: str = "") -> Adjudication:
    """A reviewer's word settles the layer, or sends it back to the queue. The caller has checked the role.

    Raises ``Refusal``: 404 ``not_found``; 409 ``already_decided``, ``own_verdict`` for somebody who judged it.
    """
    with transaction.atomic():
        found = Adjudication.objects.filter(pk=adjudication_id).first()
        if found is None:
            raise Refusal("not_found", "There is no such adjudication.", 404)
        layer = Layer.objects.select_for_update(no_key=True).select_related("project").get(pk=found.layer_id)
        if Verdict.objects.filter(layer=layer, annotator=reviewer, is_counted=True).exists():
            raise Refusal("own_verdict", "You judged this layer yourself; another reviewer decides.", 409)
        won = Adjudication.objects.filter(pk=found.pk, ruling="")
        if not won.update(ruling=ruling, note=note, decided_by=reviewer, decided_at=Now()):
            raise Refusal("already_decided", "Another reviewer has decided.", 409)
        if ruling == Ruling.REOPEN:
            counted = Verdict.objects.filter(layer=layer, is_counted=True).count()
            balance_slots(layer.pk, max(layer.project.needed_judgements, counted + 1))
        else:
            status = LayerStatus.ACCEPTED if ruling == Ruling.ACCEPT else LayerStatus.REJECTED
            set_layer_status(layer.pk, expected=LayerStatus.READY, status=status)
            retire_slots(layer.pk)
        facts = {"reason": found.reason, "ruling": ruling, "note": note}
        write_audit(AuditVerb.ADJUDICATED, project_id=layer.project_id, layer_id=layer.pk, actor=reviewer, **facts)
    found.refresh_from_db()
    return found


def _said(layer: Layer, decision: Decision) -> int:
    """How many people say this of the layer, since the last ruling sent it back."""
    verdicts = Verdict.objects.filter(layer=layer, decision=decision, undone_at=None, extra_reason="")
    since: datetime | None = (
        Adjudication.objects.filter(layer=layer)
        .exclude(ruling="")
        .order_by("-decided_at")
        .values_list("decided_at", flat=True)
        .first()
    )
    if since is not None:
        verdicts = verdicts.filter(created_at__gt=since)
    return verdicts.values("annotator").distinct().count()
