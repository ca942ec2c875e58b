"""What an admin does to a person's leases, and to what was recalled. Verdicts are taken back in ``bulk_acts``."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from annotation.models import AuditVerb, Slot, SlotPurpose, SlotStatus, Verdict
from annotation.services.audit import note
from annotation.services.leases import GIVEN_BACK, lease_end
from engine.models import Project
from engine.refusals import Refusal


def release_leases(*, project: Project, person: Any, actor: Any) -> int:
    """Give all that a person holds back to the queue; returns how many. A verdict that comes later is kept."""
    with transaction.atomic():
        held = Slot.objects.filter(project=project, holder=person, status=SlotStatus.LEASED)
        count = held.update(status=GIVEN_BACK, holder=None, available_at=Now())
        if count:
            note(AuditVerb.RELEASED, project_id=project.pk, actor=actor, person=person.username, slots=count)
    return count


def reassign_leases(*, project: Project, person: Any, to: Any, actor: Any) -> int:
    """Hand what a person holds to another one, with a new lease; returns how many.

    What the other one has judged, made or holds already stays where it is, and so do probes. Raises ``Refusal`` 400
    ``same_person``.
    """
    if person.pk == to.pk:
        raise Refusal("same_person", "These are the layers of that person already.")
    with transaction.atomic():
        said = Verdict.objects.filter(layer=OuterRef("layer"), annotator=to)
        judged = said.filter(Q(undone_at=None) | Q(is_recalled=True))
        holds = Slot.objects.filter(layer=OuterRef("layer"), holder=to, status=SlotStatus.LEASED)
        held = Slot.objects.filter(
            project=project, holder=person, status=SlotStatus.LEASED, purpose=SlotPurpose.JUDGEMENT
        )
        movable = held.exclude(layer__author=to).exclude(Exists(judged)).exclude(Exists(holds))
        slots = list(movable.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
        count = Slot.objects.filter(pk__in=slots).update(holder=to, available_at=lease_end())
        if count:
            facts = {"person": person.username, "to": to.username, "slots": count}
            note(AuditVerb.REASSIGNED, project_id=project.pk, actor=actor, **facts)
    return count


def lift_recall(*, project: Project, person: Any, actor: Any) -> int:
    """Let a person judge the layers again of which verdicts were recalled; returns how many verdicts.

    Those verdicts stay taken back.
    """
    with transaction.atomic():
        recalled = Verdict.objects.filter(project=project, annotator=person, is_recalled=True)
        count = recalled.update(is_recalled=False)
        if count:
            note(AuditVerb.RECALL_LIFTED, project_id=project.pk, actor=actor, person=person.username, verdicts=count)
    return count
