"""Periodic work."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from annotation.services import slots
from annotation.services.bulk_acts import work_acts
from annotation.services.needs import fit_slots
from annotation.services.rework import close_mended_reworks
from engine.models import Project

NEW = timedelta(minutes=30)
"""Far longer than any transaction that publishes layers, and than the time between two checks of all layers."""


@shared_task
def open_slots() -> None:
    """Pull the layers and repairs that came in lately, in every project; cheap enough for every few seconds."""
    since = timezone.now() - NEW
    for project in Project.objects.all():
        slots.open_slots_of_new_layers(project, since)
    close_mended_reworks()
    work_acts()


@shared_task
def work_bulk_acts() -> None:
    """Rung for when somebody begins an act over many layers."""
    work_acts()


@shared_task
def check_slots() -> None:
    """Go through all ready layers of every project: changed needs, layers made while no worker ran, retired ones."""
    for project in Project.objects.all():
        fit_slots(project)
