"""What an admin sees of a project's judging; read from tallies, so that it costs the same at a million layers."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Now, TruncDay, TruncHour

from annotation.forecast import Forecast, forecast
from annotation.models import (
    Adjudication,
    Decision,
    DefectTally,
    LayerTally,
    Slot,
    SlotPurpose,
    SlotStatus,
    SlotTally,
    Verdict,
    VerdictTally,
)
from engine.models import EngineRun, Layer, LayerStatus, Project, Role

FORECAST_DAYS = 7
LATEST = 400
"""Among so many of the newest rejects the pictures of defects are looked for."""
BY_DAY_FROM = timedelta(days=3)
"""Longer ranges are shown in days, shorter ones in hours."""


@dataclass(frozen=True, slots=True)
class Work:
    """Decisions of one person of one kind within one hour or day."""

    start: datetime
    annotator_id: int
    decision: str
    verdicts: int
    counted: int
    active_ms: int


@dataclass(frozen=True, slots=True)
class QueueState:
    """Slots for judgements by state, and what waits beside them. ``expired`` leases may be claimed by anybody."""

    open: int
    leased: int
    expired: int
    filled: int
    retired: int
    adjudications: int

    @property
    def left(self) -> int:
        return self.open + self.leased + self.expired


@dataclass(frozen=True, slots=True)
class Accepted:
    """How people judged the layers of one group; ``waiting`` ones are not settled yet."""

    name: str
    accepted: int
    rejected: int
    waiting: int

    @property
    def judged(self) -> int:
        return self.accepted + self.rejected

    @property
    def share(self) -> float | None:
        return self.accepted / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Burndown:
    """Judgements left at the end of each day, the last entry now; and when nothing will be left."""

    days: list[tuple[datetime, int]]
    forecast: Forecast | None


def work_done(project: Project, since: datetime | None, now: datetime) -> list[Work]:
    """In hours for a short range, in days for a long one; oldest first."""
    tallies = VerdictTally.objects.filter(project=project, verdicts__gt=0)
    if since is not None:
        tallies = tallies.filter(hour__gte=since)
    trunc = TruncDay if is_by_day(since, now) else TruncHour
    rows = tallies.annotate(start=trunc("hour", tzinfo=UTC)).values_list("start", "annotator_id", "decision")
    sums = rows.annotate(Sum("verdicts"), Sum("counted"), Sum("active_ms")).order_by("start", "annotator_id")
    return [Work(*row) for row in sums]


def is_by_day(since: datetime | None, now: datetime) -> bool:
    return since is None or now - since > BY_DAY_FROM


def queue_state(project: Project) -> QueueState:
    rows = SlotTally.objects.filter(project=project, purpose=SlotPurpose.JUDGEMENT).values_list("status")
    slots = dict(rows.annotate(Sum("slots")).order_by())
    leased = Slot.objects.filter(project=project, status=SlotStatus.LEASED, holder__isnull=False)
    expired = leased.filter(available_at__lte=Now(), purpose=SlotPurpose.JUDGEMENT).count()
    return QueueState(
        open=slots.get(SlotStatus.OPEN, 0),
        leased=slots.get(SlotStatus.LEASED, 0) - expired,
        expired=expired,
        filled=slots.get(SlotStatus.FILLED, 0),
        retired=slots.get(SlotStatus.RETIRED, 0),
        adjudications=Adjudication.objects.filter(project=project, ruling="").count(),
    )


def burndown(project: Project, left: int, now: datetime) -> Burndown:
    """Seen back from what is left now: what was needed before is what was done since. Days are UTC."""
    tallies = VerdictTally.objects.filter(project=project, verdicts__gt=0)
    first = tallies.aggregate(first=Min("hour"))["first"]
    by_day = tallies.annotate(day=TruncDay("hour", tzinfo=UTC)).values_list("day").annotate(Sum("counted"))
    done = dict(by_day.order_by())
    days, need = [(now, left)], left
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    while first is not None and day >= first - timedelta(days=1):
        need += done.get(day, 0)
        days.append((day, need))
        day -= timedelta(days=1)
    return Burndown(days[::-1], forecast(left, _last_days(tallies, first, now)))


def _last_days(tallies: QuerySet[VerdictTally], first: datetime | None, now: datetime) -> list[int]:
    """What was done in each of the last ``FORECAST_DAYS`` times 24 hours since the first verdict."""
    if first is None:
        return []
    whole = min(FORECAST_DAYS, max(1, (now - first) // timedelta(days=1)))
    done = [0] * whole
    since = now - timedelta(days=whole)
    by_hour = tallies.filter(hour__gt=since).order_by().values_list("hour").annotate(Sum("counted"))
    for hour, counted in by_hour:
        done[min(whole - 1, (now - hour) // timedelta(days=1))] += counted
    return done


def acceptance(project: Project) -> dict[str, list[Accepted]]:
    """Settled layers by ``kind``, ``category`` (label), ``producer`` and ``recipe``, the largest groups first."""
    tallies = LayerTally.objects.filter(project=project).exclude(status=LayerStatus.DROPPED).order_by()
    rows = list(tallies.values_list("kind", "label", "producer_id", "producer__name", "status").annotate(Sum("layers")))
    recipes = dict(EngineRun.objects.filter(project=project).order_by().values_list("producer_id", "recipe_name"))
    groups: dict[str, dict[str, Counter[str]]] = {
        name: defaultdict(Counter) for name in ("kind", "category", "producer", "recipe")
    }
    for kind, label, producer_id, producer, status, layers in rows:
        names = (kind, label, producer or "", recipes.get(producer_id, "no recipe"))
        for group, name in zip(groups.values(), names, strict=True):
            group[name][status] += layers
    return {group: _ranked(named) for group, named in groups.items()}


def _ranked(named: dict[str, Counter[str]]) -> list[Accepted]:
    found = [
        Accepted(name, n[LayerStatus.ACCEPTED], n[LayerStatus.REJECTED], n[LayerStatus.READY])
        for name, n in named.items()
    ]
    return sorted(found, key=lambda row: (-row.judged, -row.waiting, row.name))


def defect_counts(project: Project, since: datetime | None) -> list[tuple[str, int]]:
    """Kinds of defects with the verdicts that name them, most frequent first."""
    tallies = DefectTally.objects.filter(project=project, **({"hour__gte": since} if since else {}))
    rows = tallies.order_by().values_list("kind").annotate(count=Sum("verdicts"))
    return sorted(((kind, count) for kind, count in rows if count), key=lambda row: (-row[1], row[0]))


def defect_examples(project: Project, kinds: Sequence[str], most: int = 2) -> dict[str, list[Layer]]:
    """Layers whose newest rejects name a defect."""
    newest = Verdict.objects.filter(project=project, decision=Decision.REJECT, undone_at=None)
    chosen: dict[str, dict[uuid.UUID, None]] = {kind: {} for kind in kinds}
    for layer_id, defects in newest.order_by("-created_at").values_list("layer_id", "defects")[:LATEST]:
        for kind in {defect["kind"] for defect in defects} & chosen.keys():
            if len(chosen[kind]) < most:
                chosen[kind][layer_id] = None
    wanted = {layer_id for layers in chosen.values() for layer_id in layers}
    layers = Layer.objects.select_related("image").in_bulk(list(wanted))
    return {kind: [layers[layer_id] for layer_id in found if layer_id in layers] for kind, found in chosen.items()}


def leases_held(project: Project) -> dict[int, int]:
    """Layers in each person's hands now."""
    live = Q(status=SlotStatus.LEASED, holder__isnull=False, available_at__gt=Now())
    rows = Slot.objects.filter(live, project=project).order_by().values_list("holder_id").annotate(count=Count("pk"))
    return {holder: count for holder, count in rows if holder is not None}


def judges(project: Project) -> list[Any]:
    """Members who may judge, by user name."""
    members = project.memberships.exclude(role=Role.VIEWER).select_related("user").order_by("user__username")
    return [member.user for member in members]


def usernames(people: Iterable[int]) -> dict[int, str]:
    return dict(get_user_model().objects.filter(pk__in=list(people)).values_list("pk", "username"))
