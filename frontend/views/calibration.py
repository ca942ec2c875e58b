"""Metric against people: the page of a calibration, its data as tables, and which version is used."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from engine.models import Project, Role
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, project_for, role_of
from evaluation.metrics.hpa import AXES
from evaluation.models import Calibration
from evaluation.selectors.calibrations import calibrations_of
from evaluation.selectors.vote_differences import DIFFERENCES, difference_rows
from evaluation.services.calibrations import choose
from frontend.arena_charts import scatter
from frontend.views.arena import BOARDS, board_asked_for
from frontend.views.csv_files import csv_file
from frontend.views.rendering import page, refusals_as_errors

METRICS = {"hpa": "HPA", "s_vis": "Preservation", "s_gen": "Completion", "s_fid": "Fidelity"}
STEP = 0.1
"""Of a metric: what the odds of a vote are told for."""
POINTS = ("producer", "rating", "ci_low", "ci_high", *AXES, "hpa")


@require_safe
@login_required
@refusals_as_errors
def calibration(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug)
    board, role = board_asked_for(request), role_of(request.user, project)
    metric = request.GET.get("metric", "hpa")
    metric = metric if metric in METRICS else "hpa"
    shown = _shown(request, project, board)
    chart = None
    if shown:
        points = [
            point | {"value": point["hpa"] if metric == "hpa" else point["axes"][metric]} for point in shown.points
        ]
        chart = scatter(points)
    may_curate = is_at_least(role, Role.CURATOR)
    return page(
        request,
        "frontend/calibration.html",
        here="Arena",
        project=project,
        board=board,
        boards=BOARDS,
        metric=metric,
        metric_name=METRICS[metric],
        metrics=list(METRICS.items()),
        calibration=shown,
        versions=list(calibrations_of(request.user, project).filter(board=board)[:20]),
        chart=chart,
        weights=[(name, shown.weights[axis]) for axis, name in METRICS.items() if axis in shown.weights]
        if shown
        else [],
        rows=[(_method(row["name"]), row) for row in shown.rows] if shown else [],
        drift=[(METRICS[row["axis"]], row) for row in shown.drift] if shown else [],
        odds=_odds(shown) if shown else [],
        may_choose=may_curate and shown is not None and not shown.is_chosen,
        may_export=may_curate,
    )


@require_POST
@login_required
@refusals_as_errors
def calibration_choose(request: HttpRequest, slug: str) -> HttpResponse:
    """Use the weights of this version on its benchmark's board from now on."""
    project = project_for(request.user, slug, Role.CURATOR)
    found = _found(project, request.POST.get("version", ""))
    choose(found)
    messages.success(request, f"Version {found.version} is in use.")
    return redirect(f"{reverse('calibration', args=[project.slug])}?board={found.board}&version={found.pk}")


@require_safe
@login_required
@refusals_as_errors
def calibration_points(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """The dots of the scatter: every producer with its rating and its axes, 1 is best."""
    project = project_for(request.user, slug)
    found = _found(project, request.GET.get("version", ""))
    rows = ([(point | point["axes"])[name] for name in POINTS] for point in found.points)
    return csv_file(f"{project.slug}-{found.board}-calibration-{found.version}.csv", POINTS, rows)


@require_safe
@login_required
@refusals_as_errors
def calibration_votes(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Votes on layers that were measured, as they are now, with the differences of metrics; for those who lead."""
    project = project_for(request.user, slug, Role.CURATOR)
    found = _found(project, request.GET.get("version", ""))
    return csv_file(f"{project.slug}-{found.board}-single-layers.csv", DIFFERENCES, difference_rows(found))


def _shown(request: HttpRequest, project: Project, board: str) -> Calibration | None:
    """The version that is asked for, else the chosen one, else the newest."""
    found = calibrations_of(request.user, project).filter(board=board).order_by("-is_chosen", "-made_at")
    wanted = request.GET.get("version", "")
    return (found.filter(pk=int(wanted)).first() if wanted.isdecimal() else None) or found.first()


def _found(project: Project, version: str) -> Calibration:
    known = Calibration.objects.filter(benchmark__project=project).select_related("benchmark__project", "refit")
    found = known.filter(pk=int(version)).first() if version.isdecimal() else None
    if found is None:
        raise Refusal("not_found", "There is no such calibration.", 404)
    return found


def _method(name: str) -> str:
    """Names of axes as people know them."""
    return " + ".join(METRICS.get(part, part) for part in name.split(" + "))


def _odds(shown: Calibration) -> list[tuple[str, float]]:
    """By how much a layer's log odds to win change where its metric is ``STEP`` higher than the other layer's."""
    found: dict[str, Any] | None = shown.foretelling
    if not found:
        return []
    return [(METRICS[axis], STEP * value) for axis, value in zip(found["axes"], found["coefficients"], strict=True)]
