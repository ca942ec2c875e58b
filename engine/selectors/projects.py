"""Projects in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from engine.models import Layer, LayerStatus, Membership, Project, SourceImage
from engine.selectors.access import projects_of


@dataclass(frozen=True, slots=True)
class ProjectOverview:
    """``untouched``: pictures that no run has taken. ``layers``: status to count. Three queries."""

    pictures: int
    untouched: int
    layers: dict[str, int]
    members: list[Membership]


def project_overview(project: Project) -> ProjectOverview:
    pictures = project.images.aggregate(
        total=Count("pk", distinct=True), untouched=Count("pk", filter=Q(run_items__isnull=True))
    )
    layers = dict(project.layers.order_by().values_list("status").annotate(count=Count("pk")))
    return ProjectOverview(
        pictures=pictures["total"],
        untouched=pictures["untouched"],
        layers={status: layers.get(status, 0) for status in LayerStatus.values},
        members=list(project.memberships.select_related("user").order_by("user__username")),
    )


def project_cards(user: Any) -> QuerySet[Any]:
    """The person's projects by name, with ``pictures``, ``ready``, ``accepted`` and the first photo as ``cover``."""
    first = SourceImage.objects.filter(project=OuterRef("pk")).order_by("created_at", "id")
    return projects_of(user).annotate(
        pictures=_count_of(SourceImage.objects.all()),
        ready=_count_of(Layer.objects.filter(status=LayerStatus.READY)),
        accepted=_count_of(Layer.objects.filter(status=LayerStatus.ACCEPTED)),
        cover=Subquery(first.values("thumbnail")[:1]),
    )


def _count_of(rows: QuerySet[Any]) -> Subquery:
    """Correlated count: joining several to-many relations would multiply their rows."""
    counted = rows.filter(project=OuterRef("pk")).order_by().values("project").annotate(count=Count("pk"))
    return Subquery(counted.values("count"))
