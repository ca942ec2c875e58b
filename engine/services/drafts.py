"""Drafts of repairs that nobody goes on with: they end, as the home page says."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from engine.models import LayerStatus, Repair, RepairStatus

TOLD_FOR = timedelta(days=1)
"""So long the home page says of a draft that somebody else has mended the layer meanwhile."""


def forget_old_drafts() -> int:
    """Delete drafts ``DRAFT_DAYS`` after their last stroke, and a day after somebody else mended the layer, which is
    their end in any case; returns how many. What was handed in is history and stays."""
    now, drafts = timezone.now(), Repair.objects.filter(status=RepairStatus.OPEN)
    old = drafts.filter(updated_at__lt=now - timedelta(days=settings.DRAFT_DAYS))
    outrun = drafts.filter(layer__status=LayerStatus.SUPERSEDED, layer__replacements__created_at__lt=now - TOLD_FOR)
    return old.delete()[0] + outrun.delete()[0]
