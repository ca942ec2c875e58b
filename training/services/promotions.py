"""Which checkpoint a project uses: changed only here, in one statement, and changed back as easily."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.models import Project
from engine.refusals import Refusal
from training.models import Checkpoint, Promotion
from training.selectors.checkpoints import current_checkpoint, standing_promotion
from training.services.checkpoints import folder_of


def promote_checkpoint(
    checkpoint: Checkpoint, *, project: Project, user: Any = None, evidence: dict[str, Any] | None = None
) -> Promotion:
    """From now on the project trains from this checkpoint, asks it by default and has its recipes use it.

    Raises ``Refusal``: 409 ``other_project``, ``already_promoted``, ``checkpoint_missing``.
    """
    if checkpoint.project_id not in (None, project.pk):
        raise Refusal("other_project", f"{checkpoint} belongs to another project.", 409)
    folder_of(checkpoint)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        previous = current_checkpoint(project)
        if previous == checkpoint:
            raise Refusal("already_promoted", f"{project} uses {checkpoint} already.", 409)
        Project.objects.filter(pk=project.pk).update(checkpoint=checkpoint.name)
        return Promotion.objects.create(
            project=project, checkpoint=checkpoint, previous=previous, evidence=evidence or {}, promoted_by=user
        )


def undo_promotion(promotion: Promotion) -> bool:
    """Back to what was used before; only the newest promotion can be undone. ``False`` if it was not standing."""
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=promotion.project_id)
        if standing_promotion(promotion.project) != promotion:
            return False
        Promotion.objects.filter(pk=promotion.pk).update(undone_at=timezone.now())
        before = current_checkpoint(promotion.project)
        Project.objects.filter(pk=promotion.project_id).update(checkpoint=before.name if before else "")
    return True
