"""The run page: how far it is, the funnel, and the pictures behind every number."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from engine.models import EngineRun, Layer, LayerStatus, Role, StageRun
from engine.records import STAGES
from engine.selectors.access import is_at_least, project_for, role_of
from engine.selectors.layers import knows_makers
from engine.selectors.recipes import recipe_stages
from engine.selectors.runs import RunReport, dropped_layers_of, run_for, run_pictures, run_report, runs_of
from engine.services.runs import cancel_run, retry_run
from frontend.views.figures import percent, seconds, whole, words
from frontend.views.funnel import NAMES, accepted_rows, accepted_table, engine_table, funnel_rows
from frontend.views.projects import project_start
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.tables import csv_answer

PAGE_SIZE = 24
RUNS_A_PAGE = 25
RUN_TONES = {"running": "accent", "finished": "good"}
OUTCOMES = {"": "All", "kept": "Kept", "dropped": "Dropped", "failed": "Failed", "layers": "Dropped layers"}
TONES = {"kept": "good", "dropped": "warn", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class DroppedLayer:
    key: str
    reason: str
    layer: Layer | None


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture in the grid: what the stage made of it."""

    row: StageRun
    tone: str
    reason: str
    seconds: str
    dropped: list[DroppedLayer]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@refusals_as_errors
def project_runs(request: HttpRequest, slug: str) -> HttpResponse:
    """All runs of a project; a post starts one."""
    if request.method == "POST":
        return project_start(request, slug)
    here = project_for(request.user, slug)
    shown: Page[EngineRun] = Paginator(runs_of(request.user, here), RUNS_A_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    rows = [
        (each, RUN_TONES.get(each.status, ""), seconds(((each.finished_at or now) - each.created_at).total_seconds()))
        for each in shown
    ]
    return page(request, "frontend/runs.html", here="Projects", project=here, shown=shown, rows=rows)


@require_safe
@login_required
@refusals_as_errors
def run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponseBase:
    engine_run = run_for(request.user, run_id)
    report = run_report(engine_run)
    tables = {"funnel": lambda: engine_table(report.stages, "Data engine"), "people": lambda: accepted_table(report)}
    if "csv" in request.GET:
        return csv_answer(tables, request.GET["csv"], f"{engine_run.project.slug}-{engine_run.created_at:%Y%m%d-%H%M}")
    again = report.items["failed"] + report.items["cancelled"]
    return page(
        request,
        "frontend/run.html",
        here="Projects",
        run=engine_run,
        project=engine_run.project,
        report=report,
        figures=_figures(report),
        rows=funnel_rows(report),
        accepted=accepted_rows(report),
        from_stage=NAMES.get(engine_run.from_stage, ""),
        stages=[(NAMES[each.stage], each) for each in recipe_stages(engine_run.recipe)],
        recipe_json=json.dumps(engine_run.recipe, indent=2),
        may_change=is_at_least(role_of(request.user, engine_run.project), Role.CURATOR),
        again=0 if report.is_live else again,
        gallery=_gallery(request, report),
    )


@require_safe
@login_required
@refusals_as_errors
def run_picture(request: HttpRequest, run_id: uuid.UUID, item_id: uuid.UUID) -> HttpResponse:
    """One picture on its way through the six stages, with everything that was measured, and its layers."""
    engine_run = run_for(request.user, run_id)
    item = get_object_or_404(engine_run.items.select_related("image"), pk=item_id)
    steps = {row.stage: row for row in item.stage_runs.all()}
    layers = item.layers.exclude(status=LayerStatus.SUPERSEDED).order_by("depth")
    if not knows_makers(request.user, engine_run.project):
        # Who votes on the others must not meet them beside the name of their recipe.
        layers = layers.filter(status=LayerStatus.DROPPED)
    return page(
        request,
        "frontend/run_picture.html",
        here="Projects",
        run=engine_run,
        project=engine_run.project,
        item=item,
        tone=TONES.get(item.status, "good" if item.status == "finished" else ""),
        reason=words(item.reason),
        steps=[(NAMES[stage], _tile(steps[stage], {}) if stage in steps else None) for stage in STAGES],
        layers=[(layer, words(layer.drop_reason)) for layer in layers],
    )


@require_POST
@login_required
@refusals_as_errors
def run_cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    engine_run = run_for(request.user, run_id, Role.CURATOR)
    if cancel_run(engine_run.id):
        messages.success(request, "Cancelled. Pictures in work stop at the end of their stage.")
    else:
        messages.warning(request, "This run was over already.")
    return redirect("run", run_id=run_id)


@require_POST
@login_required
@refusals_as_errors
def run_retry(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    engine_run = run_for(request.user, run_id, Role.CURATOR)
    count = retry_run(engine_run.id)
    if count:
        messages.success(request, f"{whole(count)} queued again, from their last finished stage.")
    else:
        messages.warning(request, "No picture of this run failed or was cancelled.")
    return redirect("run", run_id=run_id)


def _figures(report: RunReport) -> dict[str, str]:
    """The strip at the top, as text."""
    items, layers = report.items, report.layers_by_status
    through = items["finished"] + items["dropped"] + items["failed"]
    accepted, judged = layers["accepted"], layers["accepted"] + layers["rejected"]
    shown = judged + layers["ready"]
    work_s = sum(stage.seconds_total for stage in report.stages)
    begun = report.stages[0].pictures_in
    return {
        "through": whole(through),
        "pictures": whole(report.pictures),
        "kept": percent(items["finished"] / through if through else None),
        "lost": f"{whole(items['dropped'])} dropped, {whole(items['failed'])} failed",
        "layers": whole(shown),
        "layers_note": f"{whole(layers['dropped'])} dropped by the post-filter",
        "accepted": percent(accepted / judged if judged else None),
        "judged": f"{whole(judged)} judged, {whole(layers['ready'])} waiting",
        "work": seconds(work_s) if begun else seconds(None),
        "each": _each(report, work_s, begun),
    }


def _each(report: RunReport, work_s: float, begun: int) -> str:
    """Cost of a picture: seconds, those of them on the device, tokens of language networks."""
    if not begun:
        return "nothing begun"
    device_s, tokens = (sum(getattr(s, name) for s in report.stages) for name in ("device_s_total", "tokens_total"))
    parts = [f"{seconds(work_s / begun)} a picture"]
    parts += [f"{seconds(device_s / begun)} in networks"] if device_s else []
    parts += [f"{whole(round(tokens / begun))} tokens"] if tokens else []
    return ", ".join(parts)


def _gallery(request: HttpRequest, report: RunReport) -> dict[str, Any]:
    """The pictures of one stage, narrowed by outcome and reason; the last stage that did something by default."""
    reached = [row.stage for row in report.stages if row.pictures_in]
    # A NUL in an address is no reason for anything, and PostgreSQL refuses it.
    asked = {key: request.GET.get(key, "").replace("\0", "") for key in ("stage", "outcome", "reason")}
    stage = asked["stage"] if asked["stage"] in STAGES else (reached or STAGES[:1])[-1]
    outcome = asked["outcome"] if asked["outcome"] in OUTCOMES else ""
    found = run_pictures(report.run, stage, outcome, asked["reason"])
    shown: Page[StageRun] = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(shown.object_list)
    layers = dropped_layers_of(rows)
    summary = next(row for row in report.stages if row.stage == stage)
    counts = {
        "": summary.pictures_in,
        "kept": summary.kept,
        "dropped": summary.dropped,
        "failed": summary.failed,
        "layers": summary.layers_dropped,
    }
    return {
        "name": NAMES[stage],
        "reason": words(asked["reason"]),
        "tiles": [_tile(row, layers) for row in rows],
        "page": shown,
        "stages": [(NAMES[name], _query(stage=name), name == stage) for name in STAGES],
        "outcomes": [
            (label, whole(counts[key]), _query(stage=stage, outcome=key), key == outcome)
            for key, label in OUTCOMES.items()
            if counts[key] or key in ("", outcome)
        ],
        "without_reason": _query(stage=stage, outcome=outcome),
        "query": _query(stage=stage, outcome=outcome, reason=asked["reason"]),
    }


def _query(**asked: str) -> str:
    return "?" + urlencode({key: value for key, value in asked.items() if value})


def _tile(row: StageRun, layers: dict[tuple[Any, str], Layer]) -> Tile:
    return Tile(
        row=row,
        tone=TONES[row.outcome],
        reason=row.reason if row.outcome == StageRun.Outcome.FAILED else words(row.reason),
        seconds=seconds(row.seconds),
        dropped=[
            DroppedLayer(key, words(reason), layers.get((row.item_id, key)))
            for key, reason in sorted(row.dropped_layers.items())
        ],
    )
