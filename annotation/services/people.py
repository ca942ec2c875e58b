"""Rules of a project's queue and of single people in it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now

from annotation.models import Assignee, AuditVerb, QueuePolicy
from annotation.services.audit import note
from annotation.services.qualification import assignee_of
from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, role_of

POLICY_FIELDS = tuple(
    field.name for field in QueuePolicy._meta.get_fields() if field.concrete and not field.primary_key
)
ASSIGNEE_FIELDS = ("is_paused", "daily_cap")


def set_policy(*, project: Project, actor: Any = None, **changes: Any) -> QueuePolicy:
    """Make or change the project's policy. Raises ``Refusal`` 400 ``invalid``."""
    _refuse_unknown(changes, POLICY_FIELDS)
    with transaction.atomic():
        policy, _ = QueuePolicy.objects.select_for_update().get_or_create(project=project)
        _change(policy, changes)
        note(AuditVerb.POLICY_CHANGED, project_id=project.pk, actor=actor, **changes)
    return policy


def set_assignee(*, project: Project, user: Any, actor: Any = None, **changes: Any) -> Assignee:
    """Pause a person, let them go on, or cap their day. Raises ``Refusal``: 400 ``invalid``, ``not_an_annotator``."""
    _refuse_unknown(changes, ASSIGNEE_FIELDS)
    if not is_at_least(role_of(user, project), Role.ANNOTATOR):
        raise Refusal("not_an_annotator", f"{user} does not judge in this project.")
    with transaction.atomic():
        assignee = assignee_of(user, project.pk)
        _change(assignee, changes)
        note(AuditVerb.ASSIGNEE_CHANGED, project_id=project.pk, actor=actor, user=user.pk, **changes)
    return assignee


def repeat_test(*, project: Project, user: Any, actor: Any = None) -> Assignee:
    """Let a person take the qualification test from the start, also one who passed it."""
    with transaction.atomic():
        assignee = assignee_of(user, project.pk)
        Assignee.objects.filter(pk=assignee.pk).update(tested_from=Now(), qualified_at=None)
        note(AuditVerb.ASSIGNEE_CHANGED, project_id=project.pk, actor=actor, user=user.pk, test="again")
    assignee.refresh_from_db()
    return assignee


def _refuse_unknown(changes: dict[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise Refusal("invalid", f"These cannot be changed: {', '.join(unknown)}.")


def _change(row: QueuePolicy | Assignee, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    try:
        row.clean_fields()
    except ValidationError as error:
        raise Refusal("invalid", "; ".join(f"{key}: {' '.join(v)}" for key, v in error.message_dict.items())) from error
    if changes:
        row.save(update_fields=list(changes))
