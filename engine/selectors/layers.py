"""Layers as the API and the pages list them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from engine.models import OUT_OF_SIGHT, Layer, Project, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, projects_of, require_role, role_of


def openly_shown(user: Any) -> set[uuid.UUID]:
    """Projects whose layers this person sees with status and scores; elsewhere they stay blind, as they may judge."""
    return set(projects_of(user, Role.REVIEWER).values_list("pk", flat=True))


def knows_makers(user: Any, project: Project) -> bool:
    """Whether the person is told who made a layer: those who start the runs and train the networks, which names them
    on every page of theirs. Who only judges and votes is not told, for a name says more than a picture."""
    return is_at_least(role_of(user, project), Role.CURATOR)


def makers_shown(user: Any) -> set[uuid.UUID]:
    """Projects of which ``knows_makers`` holds."""
    return set(projects_of(user, Role.CURATOR).values_list("pk", flat=True))


def layers_of(user: Any, project: Project | None = None, status: str = "", kind: str = "") -> QuerySet[Layer]:
    """Layers this person may see, newest first, narrowed by what is given.

    Below reviewer only those in a stack, and not by status. Raises ``Refusal`` 403 for a status of a project in which
    the person is less; without a project the status narrows to the others.
    """
    if status and project is not None:
        require_role(user, project, Role.REVIEWER)
    wanted = {name: value for name, value in {"status": status, "kind": kind}.items() if value}
    layers = Layer.objects.filter(**wanted)
    if project is not None:
        layers = layers.filter(project=project)
        if not is_at_least(role_of(user, project), Role.REVIEWER):
            layers = layers.exclude(status__in=OUT_OF_SIGHT)
    else:
        is_open = Q(project__in=openly_shown(user))
        blind = Q(project__in=projects_of(user)) & ~Q(status__in=OUT_OF_SIGHT)
        layers = layers.filter(is_open if status else is_open | blind)
    return layers.select_related("image", "producer").order_by("-created_at", "-id")


def layer_for(user: Any, layer_id: Any) -> Layer:
    """Raises ``Refusal`` 404 for strangers and unknown ids."""
    layer = Layer.objects.select_related("project", "image", "producer").filter(id=layer_id).first()
    if layer is None or role_of(user, layer.project) is None:
        raise Refusal("not_found", "There is no such layer.", 404)
    return layer


def stack_of(layer: Layer) -> QuerySet[Layer]:
    """The layers that lie over each other with this one, front to back: of one run's item, or, without a run, of one
    photo and producer. A repair lies where the layer lay that it replaces."""
    in_sight = Layer.objects.filter(image=layer.image_id, item=layer.item_id).exclude(status__in=OUT_OF_SIGHT)
    if layer.item_id is None:
        maker = layer.origin_id or layer.producer_id
        in_sight = in_sight.annotate(maker=Coalesce("origin", "producer")).filter(maker=maker)
    return in_sight.order_by("depth", "key")
