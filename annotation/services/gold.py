"""Layers with a known answer."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from annotation.models import Adjudication, AuditVerb, GoldItem, GoldOrigin, Ruling
from annotation.services.audit import note as write_audit
from annotation.services.settling import lock_layer
from annotation.services.slots import retire_slots
from engine.models import OUT_OF_SIGHT, Layer, LayerStatus
from engine.refusals import Refusal
from engine.services.layers import set_layer_status


def make_gold(
    *, layer: Layer, is_acceptable: bool, user: Any = None, origin: str = GoldOrigin.REVIEWER, note: str = ""
) -> GoldItem:
    """Give a layer its known answer. That settles it, so it leaves the queue, and nobody's verdict opens it again.

    The same answer again changes nothing but ``is_active``. Raises ``Refusal``: 409 ``other_answer`` for gold with
    another answer, 400 ``not_judged`` for a layer that was dropped or mended since.
    """
    answer = LayerStatus.ACCEPTED if is_acceptable else LayerStatus.REJECTED
    with transaction.atomic():
        locked = lock_layer(layer.pk)
        if locked.status in OUT_OF_SIGHT:
            raise Refusal("not_judged", f"People are not asked about a {locked.status} layer.")
        item, is_new = GoldItem.objects.get_or_create(
            layer=layer,
            defaults={
                "project_id": layer.project_id,
                "is_acceptable": is_acceptable,
                "origin": origin,
                "note": note,
                "made_by": user,
            },
        )
        if item.is_acceptable != is_acceptable:
            raise Refusal("other_answer", "This layer is gold with the other answer.", 409)
        if not is_new and item.is_active:
            return item
        GoldItem.objects.filter(pk=item.pk).update(is_active=True)
        item.is_active = True
        if locked.status not in (LayerStatus.READY, answer):
            set_layer_status(layer.pk, expected=locked.status, status=LayerStatus.READY)
        set_layer_status(layer.pk, expected=LayerStatus.READY, status=answer)
        retire_slots(layer.pk)
        Adjudication.objects.filter(layer=layer, ruling="").delete()
        facts = {"answer": Ruling.ACCEPT if is_acceptable else Ruling.REJECT, "origin": origin, "note": note}
        write_audit(AuditVerb.GOLD_MADE, project_id=layer.project_id, layer_id=layer.pk, actor=user, **facts)
    return item


def retire_gold(*, item: GoldItem, user: Any) -> None:
    """Serve it no more. Answers given to it keep their meaning, the layer stays as it was settled."""
    with transaction.atomic():
        if GoldItem.objects.filter(pk=item.pk, is_active=True).update(is_active=False):
            write_audit(AuditVerb.GOLD_RETIRED, project_id=item.project_id, layer_id=item.layer_id, actor=user)
