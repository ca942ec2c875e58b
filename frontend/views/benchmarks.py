"""Benchmarks: freezing one, its board with intervals, slices and worst cases, and the report to take home."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.models import Layer, LayerStatus, Project, Role
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, project_for, role_of
from evaluation.metrics.explained import EXPLAINED
from evaluation.models import Answer, MetricScore
from evaluation.selectors.benchmarks import (
    WORSE,
    NetworkSet,
    Standing,
    benchmark_for,
    benchmarks_of,
    board_of_scores,
    network_sets,
    slice_table,
    worst_answers,
)
from evaluation.selectors.evaluations import answerers_of, evaluation_for, unfinished_runs
from evaluation.services.benchmarks import freeze_layers, watch
from evaluation.services.evaluations import ask_evaluation
from frontend.arena_charts import Scale, Whisker, whisker
from frontend.pictures import view_box
from frontend.views.figures import UNKNOWN, words
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.score_tables import board_table, slices_table
from frontend.views.tables import csv_answer
from training.services.leases import cancel

BOARDS = [(kind.value, kind.value.capitalize()) for kind in LayerKind]
COLUMNS = ("s_vis", "s_gen", "s_fid", "soft_iou", "mse", "recomposition")
SLICE_COLUMNS = ("s_vis", "s_gen", "soft_iou", "mse", "kid")
MOST_OFFERED = 60
NARROW = 2.0
"""Up to such a span there is room for a tick between 0 and 1."""
TONES = {"running": "accent", "failed": "bad"}


@dataclass(frozen=True, slots=True)
class Row:
    standing: Standing
    whisker: Whisker | None
    hpa: str
    interval: str
    calibrated: str
    cells: list[tuple[str, str]]
    """(value, interval) of each of ``COLUMNS``."""
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Case:
    answer: Answer
    value: str
    picture: str
    truth: str
    predicted: str
    reason: str


@require_safe
@login_required
@refusals_as_errors
def benchmarks(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug)
    return _list_page(request, project)


@require_POST
@login_required
@refusals_as_errors
def benchmark_freeze(request: HttpRequest, slug: str) -> HttpResponse:
    """From the accepted layers that were ticked."""
    project = project_for(request.user, slug, Role.CURATOR)
    chosen = [key for key in (_as_uuid(text) for text in request.POST.getlist("layer")) if key is not None]
    name = request.POST.get("name", "").replace("\0", "")
    try:
        made = freeze_layers(project=project, name=name, layers=chosen, user=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return _list_page(request, project, name, set(chosen))
    return redirect("benchmark", benchmark_id=made.pk)


@require_safe
@login_required
@refusals_as_errors
def benchmark(request: HttpRequest, benchmark_id: uuid.UUID) -> HttpResponseBase:
    found = benchmark_for(request.user, benchmark_id, Role.VIEWER)
    project = found.project
    may_curate = is_at_least(role_of(request.user, project), Role.CURATOR)
    board, networks = _board(request), network_sets(found)
    chosen = _chosen(networks, request.GET.get("networks", ""))
    scores = board_of_scores(found, board, chosen.digest if chosen else "")
    shown = _shown(scores.standings, request.GET.get("run", ""))
    if "csv" in request.GET:
        tables = {"board": lambda: board_table(scores.standings)}
        tables |= {"slices": lambda: slices_table(slice_table(shown.run, board))} if shown else {}
        return csv_answer(tables, request.GET["csv"], f"{found.name}-{board}")
    by = request.GET.get("by", "")
    by = by if by in WORSE else "s_vis"
    waiting = unfinished_runs(found)
    total = found.items.count()
    return page(
        request,
        "frontend/benchmark.html",
        here="Projects",
        project=project,
        benchmark=found,
        total=total,
        boards=BOARDS,
        board=board,
        networks=networks,
        chosen=chosen,
        rows=_rows(scores.standings, shown),
        ticks=[(scale_at, text) for scale_at, text in _ticks(scores.standings)],
        columns=[(name, EXPLAINED[name]) for name in COLUMNS],
        calibration=scores.calibration,
        shown=shown,
        slices=_slices(shown, board) if shown else [],
        slice_columns=[(name, EXPLAINED[name]) for name in SLICE_COLUMNS],
        by=by,
        ways=[(name, EXPLAINED[name].title) for name in WORSE],
        worst=[_case(*one) for one in worst_answers(shown.run, board, by)] if shown else [],
        waiting=[(run, TONES.get(run.status, "")) for run in waiting],
        is_live=any(run.is_live for run in waiting),
        may_curate=may_curate,
        may_ask=may_curate and total > 0,
        checkpoints=answerers_of(project) if may_curate else [],
    )


@require_POST
@login_required
@refusals_as_errors
def benchmark_act(request: HttpRequest, benchmark_id: uuid.UUID) -> HttpResponse:
    """Ask for a checkpoint's scores, or score new checkpoints on this one from now on."""
    found = benchmark_for(request.user, benchmark_id, Role.CURATOR)
    try:
        if request.POST.get("act") == "watch":
            watch(found)
            messages.success(request, "New checkpoints are scored on this benchmark from now on.")
        else:
            checkpoint = request.POST.get("checkpoint", "")
            ask_evaluation(benchmark=found, checkpoint=checkpoint, user=request.user, again=True)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("benchmark", benchmark_id=found.pk)


@require_POST
@login_required
@refusals_as_errors
def evaluation_cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = evaluation_for(request.user, run_id, Role.CURATOR)
    cancel(run)
    return redirect("benchmark", benchmark_id=run.benchmark_id)


@require_safe
@login_required
@refusals_as_errors
def evaluation_report(request: HttpRequest, run_id: uuid.UUID) -> FileResponse:
    """The page that stands alone, to keep."""
    run = evaluation_for(request.user, run_id, Role.VIEWER)
    if not run.page:
        raise Refusal("not_found", "There is no report of this evaluation.", 404)
    name = f"{run.benchmark.name}-{run.producer.name}.html"
    return FileResponse(run.page.open("rb"), as_attachment=True, filename=name, content_type="text/html")


def _list_page(
    request: HttpRequest, project: Project, name: str = "", ticked: set[uuid.UUID] | None = None
) -> HttpResponse:
    may_curate = is_at_least(role_of(request.user, project), Role.CURATOR)
    offered = Layer.objects.filter(project=project, status=LayerStatus.ACCEPTED, benchmark_items=None)
    offered = offered.select_related("image").order_by("-created_at", "-id")
    return page(
        request,
        "frontend/benchmarks.html",
        here="Projects",
        project=project,
        benchmarks=list(benchmarks_of(request.user, project)),
        may_curate=may_curate,
        offered=[
            (layer, view_box(layer.box, layer.image.width, layer.image.height))
            for layer in (offered[:MOST_OFFERED] if may_curate else [])
        ],
        ticked=ticked or set(),
        name=name,
    )


def _rows(standings: list[Standing], shown: Standing | None) -> list[Row]:
    scale = _scale(standings)
    rows = []
    for one in standings:
        hpa = one.hpa
        drawn = None
        if hpa is not None and hpa.value is not None:
            low, high = (hpa.value if end is None else end for end in (hpa.low, hpa.high))
            drawn = whisker(scale, low, hpa.value, high)
        cells = [(_value(one.scores.get(name)), _ends(one.scores.get(name))) for name in COLUMNS]
        rows.append(
            Row(
                one,
                drawn,
                _value(hpa),
                _ends(hpa),
                UNKNOWN if one.calibrated is None else f"{one.calibrated:.3f}",
                cells,
                shown is not None and one.run.pk == shown.run.pk,
            )
        )
    return rows


def _scale(standings: list[Standing]) -> Scale:
    ends = [
        end for one in standings if one.hpa for end in (one.hpa.low, one.hpa.value, one.hpa.high) if end is not None
    ]
    low, high = min([0.0, *ends]), max([1.0, *ends])
    return Scale(low - 0.02, high + 0.02)


def _ticks(standings: list[Standing]) -> list[tuple[float, str]]:
    scale = _scale(standings)
    shown = (0.0, 0.5, 1.0) if scale.high - scale.low < NARROW else (0.0, 1.0)
    return [(scale.at(value), f"{value:g}") for value in shown]


def _slices(shown: Standing, board: str) -> list[tuple[str, str, int, list[str]]]:
    return [
        (dimension, name, count, [_value(scores.get(column)) for column in SLICE_COLUMNS])
        for dimension, name, count, scores in slice_table(shown.run, board)
    ]


def _case(answer: Answer, value: float) -> Case:
    item = answer.item
    predicted = default_storage.url(answer.rgba) if answer.rgba else ""
    picture, truth = default_storage.url(item.picture), default_storage.url(item.truth)
    return Case(answer, f"{value:.4g}", picture, truth, predicted, words(answer.reason))


def _value(score: MetricScore | None) -> str:
    return UNKNOWN if score is None or score.value is None else f"{score.value:.4g}"


def _ends(score: MetricScore | None) -> str:
    if score is None:
        return ""
    if score.value is None:
        return words(score.reason)
    return "" if score.low is None or score.high is None else f"{score.low:.3g} to {score.high:.3g}"


def _board(request: HttpRequest) -> str:
    asked = request.GET.get("board", "")
    return asked if asked in dict(BOARDS) else BOARDS[0][0]


def _chosen(networks: list[NetworkSet], asked: str) -> NetworkSet | None:
    return next((one for one in networks if one.digest == asked), networks[0] if networks else None)


def _shown(standings: list[Standing], asked: str) -> Standing | None:
    found = next((one for one in standings if str(one.run.pk) == asked), None)
    return found or (standings[0] if standings else None)


def _as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
