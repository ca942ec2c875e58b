"""Projects in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, OuterRef, Subquery, Sum

from annotation.models import LayerTally
from engine.models import LayerStatus, Membership, Project, SourceImage
from engine.selectors.access import projects_of


@dataclass(frozen=True, slots=True)
class ProjectOverview:
    """``untouched``: pictures that no run has taken. ``layers``: status to count, of every status."""

    untouched: int
    layers: dict[str, int]
    members: list[Membership]


@dataclass(frozen=True, slots=True)
class ProjectCard:
    """``cover``: name of the first picture's thumbnail, empty without one."""

    project: Project
    pictures: int
    cover: str
    layers: Counter[str] = field(default_factory=Counter)


def project_overview(project: Project) -> ProjectOverview:
    layers = _layers_of([project])[project.pk]
    return ProjectOverview(
        untouched=project.images.filter(run_items=None).count(),
        layers={status: layers[status] for status in LayerStatus.values},
        members=list(project.memberships.select_related("user").order_by("user__username")),
    )


def project_cards(user: Any) -> list[ProjectCard]:
    """The person's projects by name."""
    pictures = SourceImage.objects.filter(project=OuterRef("pk"))
    projects = projects_of(user).annotate(
        pictures=Subquery(pictures.order_by().values("project").annotate(count=Count("pk")).values("count")),
        cover=Subquery(pictures.order_by("created_at", "id").values("thumbnail")[:1]),
    )
    layers = _layers_of(projects)
    return [
        ProjectCard(project, project.pictures or 0, project.cover or "", layers[project.pk]) for project in projects
    ]


def _layers_of(projects: Collection[Project]) -> dict[Any, Counter[str]]:
    """By project and status; from tallies, for a project may have a million layers."""
    found = {project.pk: Counter[str]() for project in projects}
    tallies = LayerTally.objects.filter(project__in=found).order_by().values_list("project", "status")
    for project, status, count in tallies.annotate(Sum("layers")):
        found[project][status] = count
    return found
