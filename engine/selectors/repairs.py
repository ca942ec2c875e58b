"""Repairs as their authors see them, and the pixels they start from."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.storage import default_storage

from engine.imaging import decode_png, union
from engine.models import Layer, LayerStatus, Repair, RepairStatus, Role
from engine.records import LayerKind, Mask, Picture, RGBALayer
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, projects_of, require_role, role_of
from engine.selectors.layers import layer_for, stack_of

REMEMBERED = 4
"""Decoded pictures a process keeps, so that the rounds of one repair do not decode them again."""

REASONS = {
    LayerStatus.SUPERSEDED: "Somebody else has mended this layer; there is a newer version.",
    LayerStatus.DROPPED: "The data engine dropped this layer; it never came to people.",
}


def layer_to_mend(user: Any, layer_id: uuid.UUID) -> Layer:
    """The layer, if this person may mend in its project. Raises ``Refusal`` 404 for strangers, 403 for viewers."""
    layer = layer_for(user, layer_id)
    require_role(user, layer.project, Role.ANNOTATOR)
    return layer


def repair_for(user: Any, repair_id: uuid.UUID) -> Repair:
    """The person's own repair. Raises ``Refusal`` 404 for those of others, 403 for people who may mend no more."""
    repairs = Repair.objects.select_related("layer__project", "layer__image", "result")
    repair = repairs.filter(pk=repair_id, author=user).first()
    if repair is None:
        raise Refusal("not_found", "There is no such repair of yours.", 404)
    require_role(user, repair.layer.project, Role.ANNOTATOR)
    return repair


def drafts_of(user: Any, most: int = 20) -> list[Repair]:
    """The person's drafts in projects where the person may mend, the latest first."""
    drafts = Repair.objects.filter(author=user, status=RepairStatus.OPEN)
    drafts = drafts.filter(layer__project__in=projects_of(user, Role.ANNOTATOR))
    return list(drafts.select_related("layer__project", "layer__image").order_by("-updated_at", "-id")[:most])


def end_of(draft: Repair) -> datetime:
    """When the draft is deleted if nobody draws on it any more."""
    return draft.updated_at + timedelta(days=settings.DRAFT_DAYS)


def check_mendable(layer: Layer) -> None:
    """Whether a draft of it makes sense. Raises ``Refusal`` 409 ``layer_superseded``, ``layer_dropped``; 400
    ``background_layer``: what could be wrong there are its colours, and marks make outlines.

    An accepted layer passes: who judges layers must not learn from here that one is accepted already.
    """
    if layer.kind == LayerKind.BACKGROUND:
        raise Refusal("background_layer", "The background has no outline to mend.")
    if layer.status in REASONS:
        raise Refusal(f"layer_{layer.status}", REASONS[LayerStatus(layer.status)], 409)


def check_replaceable(user: Any, layer: Layer) -> None:
    """Whether this person's repair may take the layer's place. Raises ``Refusal`` as ``check_mendable``, and 409
    ``layer_accepted`` for people below reviewer."""
    check_mendable(layer)
    if layer.status == LayerStatus.ACCEPTED and not is_at_least(role_of(user, layer.project), Role.REVIEWER):
        raise Refusal("layer_accepted", "This layer is accepted; a reviewer may replace it. Your draft is kept.", 409)


def newest_version(layer: Layer) -> Layer:
    """The end of the chain of repairs that begins at this layer; the layer itself when nobody mended it."""
    while (newer := layer.replacements.first()) is not None:
        layer = newer
    return layer


def versions_of(layer: Layer) -> list[Layer]:
    """The whole chain of repairs that this layer is part of, the first version first."""
    versions = Layer.objects.select_related("author", "producer")
    chain = [versions.get(pk=layer.pk)]
    while chain[0].replaces_id is not None:
        chain.insert(0, versions.get(pk=chain[0].replaces_id))
    while (newer := versions.filter(replaces=chain[-1]).first()) is not None:
        chain.append(newer)
    return chain


def pixels_of(layer: Layer) -> tuple[Picture, RGBALayer, Mask, Picture]:
    """Photo, the layer as it is, what the layers in front of it cover, and the background's colours."""
    photo = _decoded(layer.image.picture.name)
    visible = _decoded(layer.visible_mask.name) > 127
    stack = list(stack_of(layer))
    height, width = photo.shape[:2]
    front = [other for other in stack if other.depth < layer.depth and other.kind == LayerKind.FOREGROUND]
    cover = union((_decoded(other.visible_mask.name) > 127 for other in front), height, width)
    behind = next((other for other in stack if other.kind == LayerKind.BACKGROUND), None)
    backdrop = photo if behind is None else np.ascontiguousarray(_decoded(behind.rgba.name)[..., :3])
    return photo, RGBALayer(_decoded(layer.rgba.name), visible), cover, backdrop


@lru_cache(maxsize=REMEMBERED)
def _decoded(name: str) -> Picture:
    """A stored picture; its name is the digest of its content, so it never changes."""
    with default_storage.open(name) as file:
        pixels = decode_png(file.read())
    pixels.flags.writeable = False
    return pixels
