"""What is known of a project's arena when the next comparison is chosen, and a comparison as its voter sees it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import QuerySet

from annotation.models import Comparison, Slot, Vote
from annotation.pair_sampling import Array
from annotation.selectors.assignments import assignment_for
from engine.models import OUT_OF_SIGHT, Layer, Project, Role
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.selectors.access import check_role, require_role

# Producers come from the tallies, and one shared photo is enough, so that a large project costs little more.
TOGETHER = """
WITH maker AS MATERIALIZED (
    SELECT DISTINCT tally.producer_id AS id
    FROM annotation_layertally tally JOIN engine_producer producer ON producer.id = tally.producer_id
    WHERE tally.project_id = %(project)s AND tally.kind = %(board)s AND tally.layers > 0
      AND tally.status NOT IN ('dropped', 'superseded') AND producer.kind <> 'person'
)
SELECT one.id, other.id FROM maker one JOIN maker other ON one.id < other.id
WHERE EXISTS (
    SELECT FROM engine_layer ours
    JOIN engine_layer theirs ON theirs.image_id = ours.image_id AND theirs.kind = ours.kind
    WHERE ours.project_id = %(project)s AND ours.kind = %(board)s
      AND ours.producer_id = one.id AND ours.status NOT IN ('dropped', 'superseded')
      AND theirs.producer_id = other.id AND theirs.status NOT IN ('dropped', 'superseded')
)
"""

# Votes that count, from the left layer's side, and comparisons that wait for theirs.
STANDING = """
SELECT ours.producer_id, theirs.producer_id,
  coalesce(sum(CASE vote.choice WHEN 'left' THEN 1 WHEN 'right' THEN 0 ELSE 0.5 END)
    FILTER (WHERE vote.id IS NOT NULL), 0),
  count(vote.id), count(*) FILTER (WHERE comparison.status IN ('open', 'leased'))
FROM annotation_comparison comparison
JOIN engine_layer ours ON ours.id = comparison.left_id
JOIN engine_layer theirs ON theirs.id = comparison.right_id
LEFT JOIN annotation_vote vote ON vote.comparison_id = comparison.id AND vote.is_counted
WHERE comparison.project_id = %(project)s AND comparison.board = %(board)s AND comparison.purpose = 'judgement'
GROUP BY 1, 2
"""

PHOTOS = """
WITH shared AS MATERIALIZED (
    SELECT DISTINCT ours.image_id
    FROM engine_layer ours
    JOIN engine_layer theirs ON theirs.image_id = ours.image_id AND theirs.kind = ours.kind
    WHERE ours.project_id = %(project)s AND ours.kind = %(board)s
      AND ours.producer_id = %(first)s AND ours.status NOT IN ('dropped', 'superseded')
      AND theirs.producer_id = %(second)s AND theirs.status NOT IN ('dropped', 'superseded')
), lot AS MATERIALIZED (
    SELECT image_id FROM shared ORDER BY random() LIMIT %(looked_at)s
)
SELECT lot.image_id FROM lot
ORDER BY (
    SELECT count(*) FROM annotation_comparison comparison
    JOIN engine_layer ours ON ours.id = comparison.left_id
    JOIN engine_layer theirs ON theirs.id = comparison.right_id
    WHERE comparison.image_id = lot.image_id AND comparison.board = %(board)s
      AND (ours.producer_id, theirs.producer_id) IN ((%(first)s, %(second)s), (%(second)s, %(first)s))
)
LIMIT %(most)s
"""
LOOKED_AT = 64
"""Photos by lot of which the ones are taken on which two producers met least."""

FIND = """
SELECT comparison.*, membership.role AS asked_by
FROM annotation_comparison comparison
LEFT JOIN engine_membership membership
  ON membership.project_id = comparison.project_id AND membership.user_id = %s
WHERE comparison.id = %s
"""

# Blind: neither producers, nor ids or labels of the layers, by which the API would name them.
PAYLOADS = """
SELECT comparison.id, json_build_object(
    'project', json_build_object('id', project.id, 'slug', project.slug, 'name', project.name),
    'board', comparison.board,
    'edit', comparison.edit,
    'scene_url', (
        SELECT scene.picture FROM engine_sourceimage scene
        WHERE scene.id::text = comparison.edit ->> 'scene' AND scene.project_id = comparison.project_id),
    'source', json_build_object(
        'width', image.width, 'height', image.height, 'url', image.picture, 'thumbnail_url', image.thumbnail,
        'credit', image.credit, 'licence', image.licence),
    'left', json_build_object('rgba_url', ours.rgba),
    'right', json_build_object('rgba_url', theirs.rgba),
    'prompt', (
        SELECT json_build_object(
            'kind', kind, 'points', points, 'box', box, 'mask', mask, 'text', text, 'is_ambiguous', is_ambiguous)
        FROM engine_prompt WHERE id = comparison.prompt_id)
)::text
FROM annotation_comparison comparison
JOIN engine_layer ours ON ours.id = comparison.left_id
JOIN engine_layer theirs ON theirs.id = comparison.right_id
JOIN engine_sourceimage image ON image.id = comparison.image_id
JOIN engine_project project ON project.id = comparison.project_id
WHERE comparison.id = ANY(%s)
"""


@dataclass
class Arena:
    """One board of a project: K producers, the votes between them, and which of them share photos."""

    project: Project
    board: str
    producers: list[uuid.UUID]
    wins: Array = field(repr=False)
    """[K, K] votes the row won, ties as halves."""
    pending: Array = field(repr=False)
    allowed: Array = field(repr=False)

    @property
    def layers(self) -> QuerySet[Layer]:
        shown = Layer.objects.filter(project=self.project, kind=self.board).exclude(status__in=OUT_OF_SIGHT)
        return shown.select_related("image")

    def photos(self, first: int, second: int, most: int) -> list[uuid.UUID]:
        """Photos that both producers have layers of, those on which the two met least first, of a number by lot."""
        pair = {"first": self.producers[first], "second": self.producers[second]}
        with connection.cursor() as cursor:
            cursor.execute(PHOTOS, self._params | pair | {"most": most, "looked_at": LOOKED_AT})
            return [image_id for (image_id,) in cursor.fetchall()]

    def note(self, first: int, second: int) -> None:
        """One more comparison of these two is out."""
        self.pending[first, second] += 1
        self.pending[second, first] += 1

    @property
    def _params(self) -> dict[str, Any]:
        return {"project": self.project.pk, "board": self.board}


def arenas_of(project: Project) -> list[Arena]:
    """The boards on which at least two producers can be compared. People who mend layers are no producers here."""
    return [arena for kind in LayerKind if (arena := _arena(project, kind.value)) is not None]


def _arena(project: Project, board: str) -> Arena | None:
    params: dict[str, Any] = {"project": project.pk, "board": board}
    with connection.cursor() as cursor:
        cursor.execute(TOGETHER, params)
        together = cursor.fetchall()
        if not together:
            return None
        cursor.execute(STANDING, params)
        standing = cursor.fetchall()
    producers = sorted({producer for pair in together for producer in pair})
    place = {producer: at for at, producer in enumerate(producers)}
    arena = Arena(project, board, producers, *(np.zeros((len(producers), len(producers))) for _ in range(3)))
    for first, second in together:
        arena.allowed[place[first], place[second]] = arena.allowed[place[second], place[first]] = 1
    arena.allowed = arena.allowed > 0
    for first, second, won, votes, pending in standing:
        if first in place and second in place:
            here, there = place[first], place[second]
            arena.wins[here, there] += float(won)
            arena.wins[there, here] += votes - float(won)
            arena.pending[here, there] += pending
            arena.pending[there, here] += pending
    return arena


def comparison_for(user: Any, assignment_id: uuid.UUID) -> Comparison:
    """The comparison, if this person may vote in its project. Raises ``Refusal``: 404 strangers, 403 viewers."""
    found: Any = next(iter(Comparison.objects.raw(FIND, [user.pk, assignment_id])), None)
    if found is None:
        raise Refusal("not_found", "There is no such assignment.", 404)
    check_role(user, found.project_id, found.asked_by, Role.ANNOTATOR)
    return found


def any_assignment_for(user: Any, assignment_id: uuid.UUID) -> Slot | Comparison:
    """What is behind an assignment id, to judge or to vote on. Raises ``Refusal`` as both selectors do."""
    try:
        return assignment_for(user, assignment_id)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
    return comparison_for(user, assignment_id)


def vote_for(user: Any, vote_id: uuid.UUID) -> Vote:
    """The person's own vote. Raises ``Refusal`` 404 for those of others, 403 for people who may vote no more."""
    vote = Vote.objects.select_related("project", "comparison").filter(pk=vote_id, annotator=user).first()
    if vote is None:
        raise Refusal("not_found", "There is no such vote of yours.", 404)
    require_role(user, vote.project, Role.ANNOTATOR)
    return vote


def comparison_payloads(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """All that the vote page draws, in the order given; one query for any number."""
    with connection.cursor() as cursor:
        cursor.execute(PAYLOADS, [[comparison.pk for comparison in comparisons]])
        found = {pk: json.loads(text) for pk, text in cursor.fetchall()}
    return [_payload(comparison, found[comparison.pk]) for comparison in comparisons]


def _payload(comparison: Comparison, found: dict[str, Any]) -> dict[str, Any]:
    for part in (found, found["source"], found["left"], found["right"]):
        for name in [name for name in part if name.endswith("url") and part[name]]:
            part[name] = default_storage.url(part[name])
    found["edit"].pop("scene", None)
    return {"id": str(comparison.pk), "expires_at": comparison.available_at, **found}
