"""Two runs on the same photographs, stage by stage and picture by picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When

from engine.models import EngineRun, RunItem, StageRun
from engine.selectors.funnel import StageSummary, funnel


@dataclass(frozen=True, slots=True)
class Comparison:
    """``shared`` photographs that both runs have; the stages over those alone."""

    shared: int
    left: list[StageSummary]
    right: list[StageSummary]


def comparison(left: EngineRun, right: EngineRun) -> Comparison:
    shared = left.items.filter(image__in=right.items.values("image"))
    images = shared.values("image")
    return Comparison(
        shared=shared.count(),
        left=funnel(left.stage_runs.filter(item__image__in=images)),
        right=funnel(right.stage_runs.filter(item__image__in=images)),
    )


def compared_pictures(left: EngineRun, right: EngineRun, stage: str) -> QuerySet[RunItem]:
    """Items of ``left`` that ``right`` has too, those that ``stage`` made different first (``differs`` 1 or 0).

    Previews are named by content, so equal names are equal pictures; what neither run brought so far is the same too.
    """
    mine = StageRun.objects.filter(item=OuterRef("pk"), stage=stage).values("preview")
    theirs = StageRun.objects.filter(run=right, item__image=OuterRef("image"), stage=stage).values("preview")
    same = When(Q(mine=F("theirs")) | Q(mine=None, theirs=None), then=Value(0))
    return (
        left.items.filter(image__in=right.items.values("image"))
        .select_related("image")
        .annotate(mine=Subquery(mine), theirs=Subquery(theirs))
        .annotate(differs=Case(same, default=Value(1), output_field=IntegerField()))
        .order_by("-differs", "image__created_at", "pk")
    )


def count_different(left: EngineRun, right: EngineRun, stage: str) -> int:
    return compared_pictures(left, right, stage).aggregate(different=Sum("differs"))["different"] or 0


def stage_runs_of(run: EngineRun, items: list[RunItem], stage: str) -> dict[Any, StageRun]:
    """Image id to what ``stage`` of ``run`` did to it, for the images of ``items``."""
    images = [item.image_id for item in items]
    rows = run.stage_runs.filter(stage=stage, item__image__in=images).select_related("item")
    return {row.item.image_id: row for row in rows}


def comparable_runs(run: EngineRun, most: int = 30) -> list[EngineRun]:
    """Other runs of the project that share photographs with this one: the one it comes from first, then the newest."""
    others = EngineRun.objects.filter(project=run.project_id, items__image__in=run.items.values("image"))
    found = list(others.exclude(pk=run.pk).distinct().order_by("-created_at")[:most])
    return sorted(found, key=lambda other: other.pk != run.derived_from_id)
