"""Rejected work goes back to the person who made it, with a reason and a deadline; then to anybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from annotation.models import AuditVerb, Rework
from annotation.selectors.policies import policy_of
from annotation.services.audit import note
from engine.models import Layer, LayerStatus
from engine.refusals import Refusal


def return_to_author(*, layer: Layer, reviewer: Any, reason: str, deadline_at: datetime | None = None) -> Rework:
    """Ask the author of a rejected, repaired layer for a better one, by default within the policy's ``rework_hours``.

    Raises ``Refusal``: 400 ``no_author``, ``no_reason``; 409 ``not_rejected``, ``already_returned``.
    """
    if layer.author is None:
        raise Refusal("no_author", "No person made this layer, so there is nobody to return it to.")
    if not reason.strip():
        raise Refusal("no_reason", "Say what should be better.")
    if layer.status != LayerStatus.REJECTED:
        raise Refusal("not_rejected", "Only rejected layers are returned.", 409)
    ends = deadline_at or timezone.now() + timedelta(hours=policy_of(layer.project_id).rework_hours)
    try:
        with transaction.atomic():
            rework = Rework.objects.create(
                project_id=layer.project_id,
                layer=layer,
                author=layer.author,
                reason=reason.strip(),
                deadline_at=ends,
                returned_by=reviewer,
            )
            facts = {"reason": rework.reason, "author": layer.author.pk, "deadline_at": ends.isoformat()}
            note(AuditVerb.RETURNED, project_id=layer.project_id, layer_id=layer.pk, actor=reviewer, **facts)
    except IntegrityError as error:
        raise Refusal("already_returned", "This layer was returned already.", 409) from error
    return rework


def close_rework(*, layer: Layer, replaced_by: Layer, actor: Any) -> bool:
    """A new version of a returned layer was handed in; ``False`` when the layer had not been returned."""
    with transaction.atomic():
        pending = Rework.objects.filter(layer=layer, closed_at=None)
        if not pending.update(closed_at=Now(), replaced_by=replaced_by):
            return False
        facts = {"replaced_by": str(replaced_by.pk)}
        note(AuditVerb.REWORKED, project_id=layer.project_id, layer_id=layer.pk, actor=actor, **facts)
    return True


def close_mended_reworks() -> int:
    """Close what was returned and has been mended since; how many. Repairs are made below, so they are pulled here."""
    mended = Rework.objects.filter(closed_at=None, layer__status=LayerStatus.SUPERSEDED).select_related("layer")
    closed = 0
    for rework in mended:
        new = Layer.objects.select_related("author").get(replaces=rework.layer)
        closed += close_rework(layer=rework.layer, replaced_by=new, actor=new.author)
    return closed
