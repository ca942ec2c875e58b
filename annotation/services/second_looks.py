"""Settled layers that something casts doubt on: one more person judges them, and what was said before still counts."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from annotation.models import AuditVerb, GoldItem, Slot, SlotPurpose, SlotStatus, Verdict
from annotation.sampling import Priority
from annotation.services.audit import note
from annotation.services.settling import lock_layer, settled_by_reviewers
from annotation.services.slots import balance_slots
from engine.models import LayerStatus
from engine.services.layers import set_layer_status


def ask_again(*, layer_id: uuid.UUID, reason: str, actor: Any = None) -> bool:
    """Put a settled layer back into the review queue, first in line, for one judgement more than it has.

    ``False`` for layers that are not settled, for gold items and for what a reviewer has ruled on: those stay.
    """
    with transaction.atomic():
        layer = lock_layer(layer_id)
        if GoldItem.objects.filter(layer=layer_id).exists() or layer_id in settled_by_reviewers([layer_id]):
            return False
        if layer.status not in (LayerStatus.ACCEPTED, LayerStatus.REJECTED):
            return False
        set_layer_status(layer_id, expected=layer.status, status=LayerStatus.READY)
        slots = Slot.objects.filter(layer=layer_id, purpose=SlotPurpose.JUDGEMENT)
        if slots.exists():
            counted = Verdict.objects.filter(layer=layer_id, is_counted=True).count()
            balance_slots(layer_id, max(layer.project.needed_judgements, counted + 1))
            slots.filter(status=SlotStatus.OPEN).update(priority=Priority.RETURNED)
        note(AuditVerb.ASKED_AGAIN, project_id=layer.project_id, layer_id=layer_id, actor=actor, reason=reason)
    return True
