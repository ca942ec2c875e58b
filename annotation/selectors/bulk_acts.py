"""Acts over many layers, as an admin follows them."""

from __future__ import annotations

import uuid
from typing import Any

from annotation.models import BulkAct, BulkStatus
from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import require_role


def acts_of(project: Project, most: int = 20) -> list[BulkAct]:
    """The newest first."""
    return list(BulkAct.objects.filter(project=project).select_related("person", "actor")[:most])


def running_acts(project: Project) -> list[BulkAct]:
    """The oldest first: in the order in which they are worked on."""
    running = BulkAct.objects.filter(project=project, status=BulkStatus.RUNNING).order_by("created_at")
    return list(running.select_related("person", "actor"))


def act_for(user: Any, act_id: uuid.UUID) -> BulkAct:
    """Raises ``Refusal``: 404 for strangers, 403 for people below admin."""
    act = BulkAct.objects.select_related("project", "person", "actor").filter(pk=act_id).first()
    if act is None:
        raise Refusal("not_found", "There is no such act.", 404)
    require_role(user, act.project, Role.ADMIN)
    return act
