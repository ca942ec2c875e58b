"""Counts for people: the queue, one's own day, a project's progress."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Now, TruncHour
from django.utils import timezone

from annotation.models import Decision, LayerTally, Slot, SlotPurpose, SlotStatus, SlotTally, Verdict, VerdictTally
from engine.models import LayerStatus, Project

STATES = ("open", "leased", "expired", "filled", "retired")


def queue_depths(projects: Sequence[Project]) -> dict[str, list[Any]]:
    """Columns ``project`` (slugs), then slots per state; ``expired`` are leases that ended and may be claimed."""
    rows: defaultdict[Any, Counter[str]] = defaultdict(Counter)
    tallies = SlotTally.objects.filter(project__in=projects, purpose=SlotPurpose.JUDGEMENT)
    for project, status, slots in tallies.values_list("project", "status").annotate(Sum("slots")).order_by():
        rows[project][status] = slots
    leased = Slot.objects.filter(project__in=projects, status=SlotStatus.LEASED, purpose=SlotPurpose.JUDGEMENT)
    ended = leased.filter(holder__isnull=False, available_at__lte=Now()).values_list("project")
    for project, expired in ended.annotate(Count("pk")).order_by():
        rows[project]["expired"] = expired
        rows[project][SlotStatus.LEASED] -= expired
    columns: dict[str, list[Any]] = {"project": [project.slug for project in projects]}
    return columns | {state: [rows[project.pk][state] for project in projects] for state in STATES}


def own_day(user: Any, project: Project, now: datetime | None = None) -> dict[str, Any]:
    """The person's last 24 hours: decisions in all and per hour and kind, median active time; undone ones left out.

    ``per_hour`` is ``[{"hour", "decisions"}]``, oldest first, hours without decisions left out.
    """
    since = (now or timezone.now()) - timedelta(hours=24)
    mine = Verdict.objects.filter(annotator=user, project=project, created_at__gt=since, undone_at=None).order_by()
    per_hour = mine.annotate(hour=TruncHour("created_at")).values("hour").annotate(decisions=Count("pk"))
    rows = list(mine.values_list("decision", "active_ms"))
    return {
        "decisions": len(rows),
        "by_decision": {decision: sum(said == decision for said, _ in rows) for decision in Decision.values},
        "per_hour": list(per_hour.order_by("hour")),
        "median_active_ms": median(ms for _, ms in rows) if rows else None,
    }


def project_progress(project: Project) -> dict[str, int]:
    """Layers that people are asked about: how many in each state, how many verdicts count, and layers in all."""
    tallies = LayerTally.objects.filter(project=project).values_list("status").annotate(Sum("layers"))
    statuses = dict(tallies.order_by())
    counts = {str(s): statuses.get(s, 0) for s in (LayerStatus.READY, LayerStatus.ACCEPTED, LayerStatus.REJECTED)}
    return {
        **counts,
        "layers": sum(counts.values()),
        "verdicts": VerdictTally.objects.filter(project=project).aggregate(counted=Sum("counted"))["counted"] or 0,
    }


def last_decisions(user: Any, project: Project, most: int = 50) -> QuerySet[Verdict]:
    """The person's newest verdicts that were not taken back, newest first."""
    mine = Verdict.objects.filter(annotator=user, project=project, undone_at=None)
    return mine.select_related("layer__image")[:most]
