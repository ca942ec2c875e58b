"""Two runs side by side on the photographs that both have; for curators, as people vote blindly on the same layers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from engine.models import EngineRun, Role, RunItem, StageRun
from engine.records import STAGES
from engine.selectors.comparing import (
    Comparison,
    comparable_runs,
    compared_pictures,
    comparison,
    count_different,
    stage_runs_of,
)
from engine.selectors.funnel import StageSummary
from engine.selectors.runs import run_for
from frontend.views.figures import counted, percent, seconds, whole, words
from frontend.views.funnel import NAMES
from frontend.views.rendering import page, refusals_as_errors

PAIRS_A_PAGE = 12


@dataclass(frozen=True, slots=True)
class Side:
    """What one run made of a photograph in the stage; empty where it did not come so far."""

    row: StageRun | None
    seconds: str
    said: str


@require_safe
@login_required
@refusals_as_errors
def run_compare(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = run_for(request.user, run_id, Role.CURATOR)
    others = comparable_runs(run)
    asked = request.GET.get("with", "")
    other = next((one for one in others if str(one.id) == asked), others[0] if others else None)
    context = {"run": run, "project": run.project, "others": others, "other": other, "label": _label}
    if other is None:
        return page(request, "frontend/run_compare.html", here="Projects", **context)
    stage = request.GET.get("stage", "")
    stage = stage if stage in STAGES else (run.from_stage or other.from_stage or STAGES[-1])
    found = comparison(run, other)
    pictures = compared_pictures(run, other, stage)
    shown: Page[RunItem] = Paginator(pictures, PAIRS_A_PAGE).get_page(request.GET.get("page"))
    items = list(shown.object_list)
    left, right = stage_runs_of(run, items, stage), stage_runs_of(other, items, stage)
    return page(
        request,
        "frontend/run_compare.html",
        here="Projects",
        **context,
        shared=whole(found.shared),
        different=whole(count_different(run, other, stage)),
        stage=stage,
        stage_name=NAMES[stage],
        stages=[(NAMES[name], _query(other, name), name == stage) for name in STAGES],
        rows=_rows(found),
        pairs=[(item, _side(left.get(item.image_id)), _side(right.get(item.image_id))) for item in items],
        shown=shown,
        query=_query(other, stage),
        changes=_changes(run, other),
    )


def _label(run: EngineRun) -> str:
    return f"{run.recipe_name}, {run.created_at:%-d %b, %H:%M}"


def _query(other: EngineRun, stage: str) -> str:
    return "?" + urlencode({"with": other.id, "stage": stage})


def _side(row: StageRun | None) -> Side:
    if row is None:
        return Side(None, "", "not reached")
    said = words(row.reason) if row.outcome == StageRun.Outcome.DROPPED else row.reason
    shown = f"{row.outcome}: {said}" if said else counted(row.layers_out, "layer")
    return Side(row, seconds(row.seconds or None), shown)


def _rows(found: Comparison) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Each stage with its measures as ``(here, there, is different)``."""
    return [
        (NAMES[left.stage], [(a, b, a != b) for a, b in zip(_measures(left), _measures(right), strict=True)])
        for left, right in zip(found.left, found.right, strict=True)
    ]


def _measures(stage: StageSummary) -> list[str]:
    return [
        percent(stage.kept_share),
        whole(stage.layers_out),
        whole(stage.layers_dropped),
        seconds(stage.seconds_median or None),
        seconds(stage.device_s_total or None),
        whole(stage.tokens_total),
    ]


def _changes(run: EngineRun, other: EngineRun) -> list[tuple[str, str, str, str]]:
    """Parameters in which the recipes differ: stage, name, here, there."""
    out = []
    for mine, theirs in zip(run.recipe["stages"], other.recipe["stages"], strict=True):
        if mine["backend"] != theirs["backend"]:
            out.append((NAMES[mine["stage"]], "backend", mine["backend"], theirs["backend"]))
            continue
        for name in mine["params"]:
            here, there = mine["params"][name], theirs["params"].get(name)
            if here != there:
                out.append((NAMES[mine["stage"]], name, str(here), str(there)))
    return out
