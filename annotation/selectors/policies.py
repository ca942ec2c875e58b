"""The rules of a project's queue, and what they mean for one person."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from annotation.models import Assignee, QueuePolicy
from engine.models import Membership, Project, Role
from engine.refusals import Refusal

COLUMNS = [field.attname for field in QueuePolicy._meta.concrete_fields]
REMEMBERED_S = 300
"""How long a claim may start where an earlier one found the first slot."""

STANDING = f"""
SELECT mine.is_paused, mine.daily_cap, mine.qualified_at, mine.tested_from,
  CASE WHEN mine.passed_at > statement_timestamp() - make_interval(secs => %(remembered_s)s)
    THEN ARRAY[mine.passed_priority, mine.passed_key] END,
  {", ".join(f"policy.{c}" for c in COLUMNS)}
FROM engine_project project
LEFT JOIN annotation_queuepolicy policy ON policy.project_id = project.id
LEFT JOIN annotation_assignee mine ON mine.project_id = project.id AND mine.user_id = %(user)s
WHERE project.id = %(project)s
"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands in a project's queue."""

    is_paused: bool
    daily_cap: int | None
    qualified_at: datetime | None
    tested_from: datetime | None
    passed: tuple[int, float] | None = None
    """Priority and random key before which the walk found nothing for the person, lately; ``None`` when long ago."""


def policy_of(project_id: uuid.UUID) -> QueuePolicy:
    """The project's policy; without a row one with neither probes nor qualification, not saved."""
    stored = QueuePolicy.objects.filter(project=project_id).first()
    return stored or QueuePolicy(project_id=project_id, gold_rate=0, gold_first=0, mirror_rate=0)


def policy_and_standing(user: Any, project: Project) -> tuple[QueuePolicy | None, Standing]:
    """In one query, because every claim asks. No policy: nothing to mix in, nobody to test."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {"project": project.pk, "user": user.pk, "remembered_s": REMEMBERED_S})
        is_paused, daily_cap, qualified_at, tested_from, passed, *columns = cursor.fetchone()
    policy = QueuePolicy.from_db(connection.alias, COLUMNS, columns) if columns[0] else None
    place = (int(passed[0]), float(passed[1])) if passed else None
    return policy, Standing(bool(is_paused), daily_cap, qualified_at, tested_from, place)


def assignees_of(project: Project) -> QuerySet[Assignee]:
    return Assignee.objects.filter(project=project).select_related("user").order_by("user__username")


def judges_of(project: Project) -> list[dict[str, Any]]:
    """Everybody who may judge, with their cap, pause and test: ``{username, daily_cap, is_paused, qualified_at}``."""
    members = Membership.objects.filter(project=project).exclude(role=Role.VIEWER).select_related("user")
    rows = {row.user_id: row for row in Assignee.objects.filter(project=project)}
    return [
        {
            "username": member.user.get_username(),
            "daily_cap": getattr(rows.get(member.user_id), "daily_cap", None),
            "is_paused": getattr(rows.get(member.user_id), "is_paused", False),
            "qualified_at": getattr(rows.get(member.user_id), "qualified_at", None),
        }
        for member in members.order_by("user__username")
    ]


def annotator_named(project: Project, username: str) -> Any:
    """The member of this name. Raises ``Refusal`` 404 ``not_found``."""
    member = Membership.objects.filter(project=project, user__username=username).select_related("user").first()
    if member is None:
        raise Refusal("not_found", f"{username} is no member of {project.name}.", 404)
    return member.user
