"""Gold items before live work: a person shows on known answers that the guidelines are understood."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models.functions import Now

from annotation.models import Assignee, AuditVerb
from annotation.selectors.gold import gold_answers
from annotation.selectors.policies import policy_of
from annotation.services.audit import note


def qualify(user: Any, project_id: uuid.UUID) -> None:
    """After a gold answer: note that the person may do live work once enough of the test was answered rightly."""
    policy = policy_of(project_id)
    if not policy.qualification_items:
        return
    assignee = assignee_of(user, project_id)
    if assignee.qualified_at is not None:
        return
    test = gold_answers(user, project_id, since=assignee.tested_from)[: policy.qualification_items]
    right = sum(answer.is_right for answer in test)
    if len(test) == policy.qualification_items and right >= policy.qualification_accuracy * len(test):
        Assignee.objects.filter(pk=assignee.pk).update(qualified_at=Now())
        note(AuditVerb.QUALIFIED, project_id=project_id, actor=user, right=right, of=len(test))


def has_failed_test(user: Any, project_id: uuid.UUID) -> bool:
    """Whether the person gave all answers of the test and did not pass; then they are not taken back one by one."""
    wanted = policy_of(project_id).qualification_items
    if not wanted:
        return False
    assignee = assignee_of(user, project_id)
    given = gold_answers(user, project_id, since=assignee.tested_from)
    return assignee.qualified_at is None and len(given) >= wanted


def assignee_of(user: Any, project_id: uuid.UUID) -> Assignee:
    """The person's row, made when there is none."""
    return Assignee.objects.get_or_create(user=user, project_id=project_id)[0]
