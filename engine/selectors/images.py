"""Source images as pages and the API list them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from engine.models import OUT_OF_SIGHT, Layer, Project, RunItem, SourceImage
from engine.selectors.access import projects_of


def images_of(user: Any, project: Project | None = None) -> QuerySet[SourceImage]:
    """Images this person may see, newest first."""
    images = SourceImage.objects.filter(project__in=projects_of(user)).order_by("-created_at", "-id")
    return images if project is None else images.filter(project=project)


def project_images(project: Project) -> QuerySet[Any]:
    """Newest first. ``state`` and ``reason`` are those of the latest run item, ``None`` when no run took the image.

    ``layer_total`` counts layers that reached people, each once however often it was repaired. All three are correlated
    subqueries: the database works them out for the rows of one page only.
    """
    latest = RunItem.objects.filter(image=OuterRef("pk")).order_by("-created_at", "-id")
    layers = Layer.objects.filter(image=OuterRef("pk")).exclude(status__in=OUT_OF_SIGHT)
    return project.images.annotate(
        state=Subquery(latest.values("status")[:1]),
        reason=Subquery(latest.values("reason")[:1]),
        layer_total=Subquery(layers.order_by().values("image").annotate(count=Count("pk")).values("count")),
    ).order_by("-created_at", "-id")
