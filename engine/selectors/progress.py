"""How far all running work is, in one number for a progress bar."""

from __future__ import annotations

from django.db.models import Case, Count, F, IntegerField, Sum, Value, When

from engine.models import EngineRun, RunItem, RunStatus
from engine.models.runs import LIVE_ITEMS
from engine.records import STAGES


def live_progress() -> tuple[int, int] | None:
    """Stages done and stages in all, over the runs that are not over; ``None`` when there is none.

    An image that was dropped or failed is as far as it will ever get, so it counts as done.
    """
    live_runs = EngineRun.objects.filter(status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
    stages = Case(
        When(status__in=LIVE_ITEMS, then=F("stages_done")), default=Value(len(STAGES)), output_field=IntegerField()
    )
    total = RunItem.objects.filter(run__in=live_runs).aggregate(items=Count("id"), done=Sum(stages))
    if not total["items"]:
        return None
    return total["done"], total["items"] * len(STAGES)
