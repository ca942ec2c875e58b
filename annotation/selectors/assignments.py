"""One assignment as its annotator sees it. Blind: no producer, nobody else's verdict."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.core.files.storage import default_storage
from django.db import connection

from annotation.models import Slot, Verdict
from engine.models import Role
from engine.records import PromptKind
from engine.refusals import Refusal
from engine.selectors.access import check_role, require_role

MOST_TELLING = (
    PromptKind.HYBRID,
    PromptKind.BACKGROUND,
    PromptKind.MASK,
    PromptKind.BOX,
    PromptKind.POINT,
    PromptKind.TEXT,
)


FIND = """
SELECT slot.*, membership.role AS asked_by
FROM annotation_slot slot
LEFT JOIN engine_membership membership ON membership.project_id = slot.project_id AND membership.user_id = %s
WHERE slot.id = %s
"""

# One statement, and the database makes the JSON: the page asks this once for every decision.
# - Layers of the same origin lie in one stack: of one run's item, or, without a run, of one photo and producer. A
#   repair lies in the place of the layer that it replaces.
# - Blind: of the other layers is told what the person said of them, never what became of them, for that would tell
#   which one was a known answer; of the layer asked about nothing. A probe must look like any other slot, and a third
#   judgement where two are needed would say that two people disagree, so the number of the judgement stays within
#   what the project needs.
PAYLOADS = """
SELECT slot.id, json_build_object(
    'project', json_build_object('id', project.id, 'slug', project.slug, 'name', project.name),
    'judgement', json_build_object(
        'number', least(
            coalesce(slot.position, 1 + mod((slot.random_key * 1000000)::int, project.needed_judgements)),
            project.needed_judgements),
        'of', project.needed_judgements),
    'layer', json_build_object(
        'id', layer.id, 'label', layer.label, 'kind', layer.kind, 'depth', layer.depth, 'box', layer.box,
        'area_share', layer.area_share, 'hidden_share', layer.hidden_share, 'soft_share', layer.soft_share,
        'scores', layer.scores, 'rgba_url', layer.rgba, 'visible_mask_url', layer.visible_mask,
        'thumbnail_url', layer.thumbnail),
    'source', json_build_object(
        'id', image.id, 'name', image.original_name, 'width', image.width, 'height', image.height,
        'url', image.picture, 'thumbnail_url', image.thumbnail, 'credit', image.credit, 'licence', image.licence),
    'prompts', (
        SELECT coalesce(json_agg(json_build_object(
            'kind', kind, 'points', points, 'box', box, 'mask', mask, 'text', text, 'is_ambiguous', is_ambiguous
        ) ORDER BY id), '[]') FROM engine_prompt WHERE layer_id = layer.id),
    'stack', (
        SELECT json_agg(json_build_object(
            'id', other.id, 'label', other.label, 'kind', other.kind, 'depth', other.depth,
            'status', CASE WHEN other.id = layer.id THEN 'ready' ELSE coalesce((
                SELECT CASE own.decision WHEN 'accept' THEN 'accepted' WHEN 'reject' THEN 'rejected' END
                FROM annotation_verdict own
                WHERE own.layer_id = other.id AND own.annotator_id = slot.holder_id AND own.undone_at IS NULL
                ORDER BY own.created_at DESC LIMIT 1
            ), 'ready') END,
            'box', other.box, 'rgba_url', other.rgba, 'thumbnail_url', other.thumbnail
        ) ORDER BY other.depth, other.key)
        FROM engine_layer other
        WHERE other.image_id = layer.image_id
          AND (other.status NOT IN ('dropped', 'superseded') OR other.id = layer.id)
          AND (other.item_id = layer.item_id
               OR layer.item_id IS NULL AND other.item_id IS NULL
                  AND coalesce(other.origin_id, other.producer_id) = coalesce(layer.origin_id, layer.producer_id)))
)::text
FROM annotation_slot slot
JOIN engine_layer layer ON layer.id = slot.layer_id
JOIN engine_sourceimage image ON image.id = layer.image_id
JOIN engine_project project ON project.id = slot.project_id
WHERE slot.id = ANY(%s)
"""


def assignment_for(user: Any, assignment_id: uuid.UUID) -> Slot:
    """The slot, if this person may judge in its project. Raises ``Refusal``: 404 for strangers, 403 for viewers."""
    slot: Any = next(iter(Slot.objects.raw(FIND, [user.pk, assignment_id])), None)
    if slot is None:
        raise Refusal("not_found", "There is no such assignment.", 404)
    check_role(user, slot.project_id, slot.asked_by, Role.ANNOTATOR)
    return slot


def verdict_for(user: Any, verdict_id: uuid.UUID) -> Verdict:
    """The person's own verdict. Raises ``Refusal`` 404 for those of others, 403 for people who may judge no more."""
    verdict = Verdict.objects.select_related("project").filter(pk=verdict_id, annotator=user).first()
    if verdict is None:
        raise Refusal("not_found", "There is no such verdict of yours.", 404)
    require_role(user, verdict.project, Role.ANNOTATOR)
    return verdict


def assignment_payloads(slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """All that the review page draws, in the order given; one query for any number of slots."""
    with connection.cursor() as cursor:
        cursor.execute(PAYLOADS, [[slot.pk for slot in slots]])
        found = {slot_id: json.loads(text) for slot_id, text in cursor.fetchall()}
    return [_payload(slot, found[slot.pk]) for slot in slots]


def _payload(slot: Slot, found: dict[str, Any]) -> dict[str, Any]:
    for part in (found["layer"], found["source"], *found["stack"]):
        for name in part:
            if name.endswith("url"):
                part[name] = default_storage.url(part[name])
    return {
        "id": str(slot.pk),
        "expires_at": slot.available_at,
        **found,
        "prompt": min(found["prompts"], key=_telling, default=None),
    }


def _telling(prompt: dict[str, Any]) -> tuple[bool, int]:
    return prompt["is_ambiguous"], MOST_TELLING.index(prompt["kind"])
