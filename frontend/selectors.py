"""What the pages of somebody who judges layers read: the side bar, the queues, the own day."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now, TruncHour
from django.urls import reverse
from django.utils import timezone

from annotation.models import DefectKind, Slot, SlotStatus, Verdict
from annotation.selectors.statistics import last_decisions
from engine.models import Layer, LayerStatus, Membership, Project, Role
from engine.selectors.access import is_at_least, projects_of
from frontend.pictures import view_box

DECISION_WORDS = {"accept": "accepted", "reject": "rejected", "unsure": "unsure", "broken": "broken"}
NO_LAYER = uuid.UUID(int=0)
"""In an address, where the page puts the id of the layer on the screen."""
LOOKED_AT = 50
"""Among so many of the oldest waiting layers the largest object stands for the queue."""
COUNT_UP_TO = 1000
"""Waiting layers are counted no further, so that a page costs the same in a large project."""


@dataclass(frozen=True)
class Place:
    """One entry of the side bar. ``count`` is what waits there, as text."""

    name: str
    href: str
    icon: str
    count: str = ""


@dataclass(frozen=True)
class Shell:
    name: str
    initials: str
    places: list[Place]


@dataclass(frozen=True)
class ProjectQueue:
    """A project as its member meets it on the home page."""

    project: Project
    role: str
    waiting: int
    example: Layer | None

    @property
    def may_judge(self) -> bool:
        return is_at_least(self.role, Role.ANNOTATOR)

    @property
    def example_box(self) -> str:
        return _box_of(self.example) if self.example else ""

    @property
    def waiting_text(self) -> str:
        return count_text(self.waiting)


@dataclass(frozen=True)
class Decided:
    """One own decision in a list."""

    verdict: Verdict
    word: str
    view_box: str


@dataclass(frozen=True)
class Day:
    """The last 24 hours of one person, over all projects."""

    decisions: int
    hours: list[tuple[datetime, int]]
    median_s: float | None
    accepted_percent: int | None
    unsure: int


def shell_of(user: Any) -> Shell:
    """The side bar as this person sees it."""
    name = user.get_full_name() or user.username
    words = name.split()
    judged = projects_of(user, Role.ANNOTATOR)
    counts = [(project, waiting_for(user, project)) for project in judged]
    project = max(counts, key=lambda pair: pair[1], default=(None, 0))[0]
    places = [Place("Home", reverse("home"), "home")]
    if project is not None:
        count = count_text(sum(count for _, count in counts))
        places.append(Place("Review", reverse("review", args=[project.slug]), "review", count if count != "0" else ""))
        places.append(Place("Compare", reverse("vote", args=[project.slug]), "compare"))
        places.append(Place("Arena", reverse("arena", args=[project.slug]), "trophy"))
    places.append(Place("Projects", reverse("projects"), "layers"))
    led = projects_of(user, Role.CURATOR).order_by("-created_at").first()
    if led is not None:
        places.append(Place("Dashboard", reverse("dashboard", args=[led.slug]), "dash"))
        places.append(Place("Training", reverse("training", args=[led.slug]), "train"))
    return Shell(name, (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper(), places)


def waiting_layers(user: Any, project: Project) -> QuerySet[Layer]:
    """Layers this person could be served: ready, not judged or made by them, and with a slot that is free or theirs.

    A ready layer whose slots are not opened yet counts too: a claim opens them.
    """
    slots = Slot.objects.filter(layer=OuterRef("pk"))
    free = Q(status=SlotStatus.OPEN) | Q(status=SlotStatus.LEASED) & (Q(holder=user) | Q(available_at__lte=Now()))
    mine = Verdict.objects.filter(layer=OuterRef("pk"), annotator=user).exclude(
        undone_at__isnull=False, is_recalled=False
    )
    ready = Layer.objects.filter(project=project, status=LayerStatus.READY).exclude(author=user)
    return ready.filter(~Exists(mine), Exists(slots.filter(free)) | ~Exists(slots)).order_by()


def waiting_for(user: Any, project: Project) -> int:
    """How many layers wait for this person; ``COUNT_UP_TO`` means that many or more."""
    return waiting_layers(user, project)[:COUNT_UP_TO].count()


def count_text(count: int) -> str:
    return f"{COUNT_UP_TO}+" if count >= COUNT_UP_TO else str(count)


def queues_of(user: Any) -> list[ProjectQueue]:
    """The person's projects, the fullest queue first."""
    roles: dict[Any, str] = dict(Membership.objects.filter(user=user).values_list("project", "role"))
    queues = []
    for project in projects_of(user):
        waiting = waiting_layers(user, project)
        first = waiting.filter(kind="foreground").select_related("image").order_by("created_at", "id")[:LOOKED_AT]
        example = max(first, key=lambda layer: layer.area_share, default=None)
        role = roles.get(project.pk, Role.ADMIN)
        queues.append(ProjectQueue(project, role, waiting[:COUNT_UP_TO].count(), example))
    return sorted(queues, key=lambda queue: (not queue.may_judge, -queue.waiting, queue.project.name))


def day_of(user: Any, now: datetime | None = None) -> Day:
    """Decisions per hour (24 whole hours, the current one last), how fast, how many of them accepted."""
    this_hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=back) for back in range(23, -1, -1)]
    mine = Verdict.objects.filter(annotator=user, undone_at=None, created_at__gte=hours[0]).order_by()
    rows = list(mine.annotate(hour=TruncHour("created_at")).values_list("hour", "decision", "active_ms"))
    per_hour = Counter(hour for hour, _, _ in rows)
    said = Counter(decision for _, decision, _ in rows)
    settled = said["accept"] + said["reject"]
    return Day(
        decisions=len(rows),
        hours=[(hour, per_hour[hour]) for hour in hours],
        median_s=median(milliseconds for _, _, milliseconds in rows) / 1000 if rows else None,
        accepted_percent=round(100 * said["accept"] / settled) if settled else None,
        unsure=said["unsure"],
    )


def latest_decisions(user: Any, most: int = 8) -> list[Decided]:
    """The person's newest decisions in every project, newest first."""
    mine = Verdict.objects.filter(annotator=user, undone_at=None).select_related("layer__image", "project")
    return [
        Decided(verdict, DECISION_WORDS[verdict.decision], _box_of(verdict.layer))
        for verdict in mine.order_by("-created_at", "-id")[:most]
    ]


def _box_of(layer: Layer) -> str:
    return view_box(layer.box, layer.image.width, layer.image.height)


def review_data(user: Any, project: Project) -> dict[str, Any]:
    """What the review page starts with; the layers themselves come through the API."""
    recent = [
        {
            "clientId": verdict.client_id,
            "verdictId": str(verdict.pk),
            "decision": verdict.decision,
            "label": verdict.layer.label,
            "thumbnailUrl": verdict.layer.thumbnail.url,
            "box": verdict.layer.box,
            "size": [verdict.layer.image.width, verdict.layer.image.height],
        }
        for verdict in last_decisions(user, project)
        if not verdict.extra_reason
    ]
    return {
        "user_id": user.pk,
        "project": {"id": str(project.pk), "name": project.name},
        "recent": recent[::-1],
        "today": day_of(user).decisions,
        "defects": [{"kind": kind.value, "label": kind.label.capitalize()} for kind in DefectKind],
        "urls": {"home": reverse("home"), "mend": reverse("repair", args=[NO_LAYER])},
    }
