"""What reviewers look at: layers in dispute, a layer's whole history, returned work. Annotators see none of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from annotation.models import Adjudication, AuditEvent, GoldItem, Rework, Verdict
from engine.models import Layer, LayerStatus, Project, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, projects_of, require_role, role_of


def open_adjudications(project: Project) -> QuerySet[Adjudication]:
    """The oldest first; without layers that were mended since, whose new version is judged instead."""
    pending = Adjudication.objects.filter(project=project, ruling="").exclude(layer__status=LayerStatus.SUPERSEDED)
    pending = pending.order_by("opened_at", "id")
    return pending.select_related("layer__image")


def adjudication_for(reviewer: Any, adjudication_id: uuid.UUID) -> Adjudication:
    """Raises ``Refusal``: 404 for strangers, 403 for people below reviewer."""
    found = Adjudication.objects.select_related("project", "layer__image").filter(pk=adjudication_id).first()
    if found is None:
        raise Refusal("not_found", "There is no such adjudication.", 404)
    require_role(reviewer, found.project, Role.REVIEWER)
    return found


def layer_for(user: Any, layer_id: uuid.UUID, at_least: str) -> Layer:
    """Raises ``Refusal``: 404 for strangers, 403 for too low a role."""
    layer = Layer.objects.select_related("project", "image", "author").filter(pk=layer_id).first()
    if layer is None:
        raise Refusal("not_found", "There is no such layer.", 404)
    require_role(user, layer.project, at_least)
    return layer


def gold_for(user: Any, gold_id: uuid.UUID, at_least: str) -> GoldItem:
    """Raises ``Refusal`` as ``layer_for``."""
    item = GoldItem.objects.select_related("project").filter(pk=gold_id).first()
    if item is None:
        raise Refusal("not_found", "There is no such gold item.", 404)
    require_role(user, item.project, at_least)
    return item


def adjudication_payload(pending: Adjudication) -> dict[str, Any]:
    """The layer in dispute with what everybody said of it, side by side."""
    layer = pending.layer
    return {
        "id": pending.pk,
        "reason": pending.reason,
        "opened_at": pending.opened_at,
        "ruling": pending.ruling,
        "note": pending.note,
        "layer": {
            "id": layer.pk,
            "label": layer.label,
            "kind": layer.kind,
            "rgba_url": layer.rgba.url,
            "visible_mask_url": layer.visible_mask.url,
            "thumbnail_url": layer.thumbnail.url,
            "source_url": layer.image.picture.url,
        },
        "verdicts": [_verdict(verdict) for verdict in _verdicts(layer.pk).filter(undone_at=None)],
    }


def is_told(user: Any, layer: Layer) -> bool:
    """Whether the person learns what others said of the layer: not while the queue may still ask this person.

    Those who lead the project always do.
    """
    if layer.status != LayerStatus.READY or is_at_least(role_of(user, layer.project), Role.CURATOR):
        return True
    own = Verdict.objects.filter(layer=layer, annotator=user).filter(Q(undone_at=None) | Q(is_recalled=True))
    return layer.author_id == user.pk or own.exists() or Adjudication.objects.filter(layer=layer, ruling="").exists()


def layer_history(layer: Layer) -> list[dict[str, Any]]:
    """Every verdict on the layer and every act about it, oldest first, also what was taken back."""
    verdicts = [{"what": "verdict", **_verdict(verdict)} for verdict in _verdicts(layer.pk)]
    events = [
        {"what": event.verb, "who": event.actor and event.actor.username, "at": event.created_at, **event.facts}
        for event in AuditEvent.objects.filter(layer=layer).select_related("actor")
    ]
    return sorted([*verdicts, *events], key=lambda row: row["at"])


def rework_for(user: Any, project: Project) -> QuerySet[Rework]:
    """Returned layers the person may take up: the own ones, and everybody's after the deadline; not those mended."""
    free = Q(author=user) | Q(deadline_at__lte=Now())
    waiting = Rework.objects.filter(free, project=project, closed_at=None).exclude(layer__status=LayerStatus.SUPERSEDED)
    return waiting.select_related("layer__image")


def returned_to(author: Any, most: int = 20) -> list[Rework]:
    """What went back to this person, in all projects, the nearest deadline first."""
    waiting = Rework.objects.filter(author=author, closed_at=None, layer__status=LayerStatus.REJECTED)
    waiting = waiting.filter(project__in=projects_of(author, Role.ANNOTATOR))
    return list(waiting.select_related("layer__image", "project").order_by("deadline_at", "id")[:most])


def _verdicts(layer_id: uuid.UUID) -> QuerySet[Verdict]:
    return Verdict.objects.filter(layer=layer_id).select_related("annotator", "slot").order_by("created_at", "id")


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "id": verdict.pk,
        "who": verdict.annotator.username,
        "at": verdict.created_at,
        "decision": verdict.decision,
        "defects": verdict.defects,
        "note": verdict.note,
        "active_ms": verdict.active_ms,
        "purpose": verdict.slot.purpose,
        "is_counted": verdict.is_counted,
        "extra_reason": verdict.extra_reason,
        "undone_at": verdict.undone_at,
    }
