"""Checkpoints as people look at them, and which one a project uses."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import projects_of, require_role
from training.models import Checkpoint, Promotion
from training.predictors import Predictor, known


def standing_promotion(project: Project) -> Promotion | None:
    """The newest one that nobody took back."""
    standing = Promotion.objects.filter(project=project, undone_at=None).select_related("checkpoint", "project")
    return standing.order_by("-created_at", "-pk").first()


def current_checkpoint(project: Project) -> Checkpoint | None:
    """``None`` before any promotion: then the shipped one is used."""
    standing = standing_promotion(project)
    return None if standing is None else standing.checkpoint


def checkpoints_of(user: Any, project: Project | None = None) -> QuerySet[Checkpoint]:
    """Those of this person's projects and the shipped ones, newest first."""
    seen = Checkpoint.objects.select_related("project", "parent", "snapshot", "producer")
    own = Q(project__in=projects_of(user)) if project is None else Q(project=project)
    return seen.filter(own | Q(project=None))


def predictors_for(user: Any) -> dict[str, Predictor]:
    """Whom this person may ask, by name: all but the checkpoints of projects they are no member of."""
    others = Checkpoint.objects.exclude(project=None).exclude(project__in=projects_of(user))
    hidden = set(others.values_list("name", flat=True))
    return {name: one for name, one in known(settings.CHECKPOINT_FOLDERS).items() if name not in hidden}


def checkpoint_for(user: Any, checkpoint_id: Any, at_least: str = Role.VIEWER) -> Checkpoint:
    """Raises ``Refusal``: 404 for strangers and unknown ids, 403 for too low a role. Shipped ones are everybody's."""
    seen = Checkpoint.objects.select_related("project", "parent", "snapshot", "producer", "run")
    checkpoint = seen.filter(pk=checkpoint_id).first()
    if checkpoint is None:
        raise Refusal("not_found", "There is no such checkpoint.", 404)
    if checkpoint.project is not None:
        require_role(user, checkpoint.project, at_least)
    return checkpoint
