"""Periodic work."""

from __future__ import annotations

from celery import shared_task

from engine.models import Project
from evaluation.services.ratings import refit_stale_boards


@shared_task
def refit_ratings() -> None:
    """Leaderboards with new votes, in every project. Costs one query for a project without."""
    for project in Project.objects.all():
        refit_stale_boards(project)
