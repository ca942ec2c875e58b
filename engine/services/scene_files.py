"""Scenes of images that are done: kept for a while so that a stage can be done again, then deleted."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef
from django.utils import timezone

from engine.models import EngineRun, RunItem, RunStatus
from engine.models.runs import LIVE_ITEMS

AT_ONCE = 1000


def forget_old_scenes() -> int:
    """Delete scenes of images that were done ``SCENE_DAYS`` ago, but not while a run that begins with them is live;
    returns how many. About 3 MB an image of 1024 px."""
    since = timezone.now() - timedelta(days=settings.SCENE_DAYS)
    heirs = EngineRun.objects.filter(derived_from=OuterRef("run"), status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
    old = RunItem.objects.filter(finished_at__lt=since).exclude(status__in=LIVE_ITEMS).exclude(scene_file="")
    files = dict(old.exclude(Exists(heirs)).values_list("pk", "scene_file")[:AT_ONCE])
    RunItem.objects.filter(pk__in=files).update(scene_file="")
    for name in files.values():
        default_storage.delete(name)
    return len(files)
