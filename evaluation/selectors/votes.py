"""A board's votes as columns."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from annotation.models import Vote
from engine.models import Project
from engine.records import LayerKind

VOTES = """
SELECT ours.producer_id, theirs.producer_id, vote.choice, comparison.image_id, vote.annotator_id,
  comparison.propensity, comparison.edit <> '{}', ours.id, theirs.id
FROM annotation_vote vote
JOIN annotation_comparison comparison ON comparison.id = vote.comparison_id
JOIN engine_layer ours ON ours.id = comparison.left_id
JOIN engine_layer theirs ON theirs.id = comparison.right_id
WHERE vote.project_id = %(project)s AND comparison.board = %(board)s AND vote.is_counted
ORDER BY vote.created_at, vote.id
"""

CHANGED = """
SELECT comparison.board, count(*) FILTER (WHERE vote.is_counted), max(greatest(vote.created_at, vote.undone_at))
FROM annotation_vote vote JOIN annotation_comparison comparison ON comparison.id = vote.comparison_id
WHERE vote.project_id = %(project)s AND comparison.purpose = 'judgement'
GROUP BY 1
"""


OUTCOMES = {"left": 1, "right": -1, "tie": 0, "both_bad": 0}


@dataclass(frozen=True, slots=True)
class VoteRow:
    left: uuid.UUID
    right: uuid.UUID
    choice: str
    image: uuid.UUID
    annotator: int
    propensity: float | None
    is_edited: bool
    left_layer: uuid.UUID
    right_layer: uuid.UUID

    @property
    def outcome(self) -> int:
        """1 where left was better, -1 where right was, 0 for a tie and for both bad."""
        return OUTCOMES[self.choice]


@dataclass(frozen=True, slots=True)
class BoardState:
    """How many votes count on a board, and when one was given or taken back last."""

    votes: int
    changed_at: datetime


def board_votes(project: Project, board: str) -> list[VoteRow]:
    """Votes that count, oldest first. Votes on layers of one producer (after a repair) are left out."""
    with connection.cursor() as cursor:
        cursor.execute(VOTES, {"project": project.pk, "board": board})
        return [VoteRow(*row) for row in cursor.fetchall() if row[0] != row[1]]


def board_states(project: Project) -> dict[str, BoardState]:
    """Boards that anybody has voted on."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, {"project": project.pk})
        found: list[Any] = cursor.fetchall()
    order = [kind.value for kind in LayerKind]
    return {board: BoardState(*rest) for board, *rest in sorted(found, key=lambda row: order.index(row[0]))}


RAW = (
    *("created_at", "annotator", "photo", "left", "right", "choice", "criteria", "views", "edit", "purpose"),
    *("propensity", "active_ms", "is_counted", "extra_reason", "undone_at"),
)


def raw_votes(project: Project, board: str) -> Iterator[list[Any]]:
    """Rows of ``RAW`` for every vote ever given on a board, oldest first: also probes, extras and votes taken back."""
    votes = Vote.objects.filter(project=project, comparison__board=board).order_by("created_at", "id")
    related = ("annotator", "comparison__image", "comparison__left__producer", "comparison__right__producer")
    for vote in votes.select_related(*related).iterator(chunk_size=1000):
        shown = vote.comparison
        yield [
            vote.created_at.isoformat(),
            vote.annotator.get_username(),
            shown.image.sha256,
            shown.left.producer.name,
            shown.right.producer.name,
            vote.choice,
            json.dumps(vote.criteria),
            json.dumps(vote.views),
            json.dumps(shown.edit),
            shown.purpose,
            shown.propensity,
            vote.active_ms,
            vote.is_counted,
            vote.extra_reason,
            vote.undone_at.isoformat() if vote.undone_at else "",
        ]
