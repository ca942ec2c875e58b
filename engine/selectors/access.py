"""Who may see and do what: the only place that reads roles.

Somebody who is no member of a project is told that it does not exist. Superusers act as admins everywhere.
"""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from django.db.models import Q, QuerySet

from engine.models import Membership, Project, Role
from engine.refusals import Refusal

FIND = """
SELECT project.*, membership.role AS asked_by
FROM engine_project project
LEFT JOIN engine_membership membership ON membership.project_id = project.id AND membership.user_id = %(user)s
WHERE project.slug = %(key)s OR project.name = %(key)s OR project.id = %(id)s
ORDER BY project.name
"""
RANK = {role: rank for rank, role in enumerate(reversed(Role.values))}


def projects_of(user: Any, at_least: str = Role.VIEWER) -> QuerySet[Project]:
    """Projects in which the person has at least this role."""
    if user.is_superuser:
        return Project.objects.all()
    allowed = [role for role in Role.values if RANK[role] >= RANK[at_least]]
    return Project.objects.filter(memberships__user=user, memberships__role__in=allowed)


def role_of(user: Any, project: Project) -> str | None:
    """The person's role in the project; ``None`` for somebody who is no member."""
    if user.is_superuser:
        return Role.ADMIN
    return Membership.objects.filter(user=user, project=project).values_list("role", flat=True).first()


def is_at_least(role: str | None, wanted: str) -> bool:
    return role is not None and RANK[role] >= RANK[wanted]


def find_project(key: str) -> Project | None:
    """By id, slug or exact name, whoever asks; for commands and for the checks below."""
    return Project.objects.filter(Q(slug=key) | Q(name=key) | Q(id=_as_uuid(key))).first()


def project_for(user: Any, key: str, at_least: str = Role.VIEWER) -> Project:
    """The project, if this person may see it and has at least this role; one query.

    Raises ``Refusal``: 404 ``not_found`` for strangers and unknown keys, 403 ``forbidden`` for too low a role.
    """
    found: Any = Project.objects.raw(FIND, {"user": user.pk, "key": str(key), "id": _as_uuid(key)})
    for project in found:
        check_role(user, project, project.asked_by, at_least)
        return project
    raise Refusal("not_found", "There is no such project.", 404)


def require_role(user: Any, project: Project, at_least: str = Role.VIEWER) -> str:
    """The person's role, or ``Refusal`` as in ``project_for``."""
    return check_role(user, project, role_of(user, project), at_least)


def check_role(user: Any, project: Project | uuid.UUID, role: str | None, at_least: str) -> str:
    """The role to go by when the membership says ``role``, or ``Refusal`` as in ``project_for``.

    For selectors that read the role together with what they are about; a bare id is looked up for the sentence only.
    """
    role = Role.ADMIN if user.is_superuser else role
    if role is None:
        raise Refusal("not_found", "There is no such project.", 404)
    if not is_at_least(role, at_least):
        name = project if isinstance(project, Project) else Project.objects.get(pk=project)
        raise Refusal("forbidden", f"This needs the role {at_least} in {name}; yours is {role}.", 403)
    return role


def _as_uuid(key: Any) -> uuid.UUID | None:
    with contextlib.suppress(ValueError):
        return uuid.UUID(str(key))
    return None
