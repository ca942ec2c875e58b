"""Blind votes and what follows from them: the vote page, the leaderboard with its planner, metric against people."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotation.models import Criterion, Vote
from annotation.selectors.voters import Voter, voters_of
from engine.models import Project, Role
from engine.records import LayerKind
from engine.selectors.access import is_at_least, project_for, role_of
from evaluation.models import Calibration, Rating, Refit
from evaluation.selectors.leaderboard import latest_refit
from evaluation.selectors.votes import RAW, raw_votes
from frontend.arena_charts import Whisker, rating_scale, scatter, whisker, win_matrix
from frontend.views.figures import whole
from frontend.views.rendering import page, refusals_as_errors

BOARDS = [(kind.value, kind.value.capitalize()) for kind in LayerKind]
PROBLEMS = {
    "no_votes": "Every vote on this board is left out of the fit.",
    "one_producer": "Only one producer has been voted on.",
    "all_ties": "Every vote is a tie, so nothing tells the producers apart.",
    "not_connected": "No two producers have won against each other in both directions yet.",
}
CONFIDENCES = [80, 90, 95, 99]
METRICS = {"hpa": "HPA", "s_vis": "Preservation", "s_gen": "Completion", "s_fid": "Fidelity"}
SIDES = [("left", "left"), ("tie", "same"), ("right", "right")]


@require_safe
@login_required
@ensure_csrf_cookie
@refusals_as_errors
def vote(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Role.ANNOTATOR)
    today = Vote.objects.filter(
        annotator=request.user.pk, project=project, undone_at=None, created_at__gt=Now() - timedelta(hours=24)
    ).count()
    data = {
        "user_id": request.user.pk,
        "project": {"id": str(project.pk), "name": project.name},
        "today": today,
        "urls": {"home": reverse("home"), "arena": reverse("arena", args=[project.slug])},
    }
    criteria = [(criterion.value, criterion.label) for criterion in Criterion]
    context = {"project": project, "vote_data": data, "criteria": criteria, "sides": SIDES}
    return render(request, "frontend/vote.html", context)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the leaderboard. ``whisker`` is empty where there are not enough votes."""

    rating: Rating
    rank: str
    whisker: Whisker | None
    beats_next: str

    @property
    def half(self) -> float:
        low, _, high = _interval(self.rating)
        return (high - low) / 2


@require_safe
@login_required
@refusals_as_errors
def arena(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug)
    board, role = _board(request), role_of(request.user, project)
    refit = latest_refit(project, board)
    ratings = list(refit.ratings.select_related("producer")) if refit else []
    rated = [one for one in ratings if one.rating is not None]
    ends = [_interval(one) for one in rated]
    scale, ticks = rating_scale([end for interval in ends for end in interval]) if ends else (None, [])
    rows = [
        Row(
            one,
            _rank(one),
            whisker(scale, *_interval(one)) if scale and one in rated else None,
            _beats(one, ratings[at + 1 : at + 2]),
        )
        for at, one in enumerate(ratings)
    ]
    return page(
        request,
        "frontend/arena.html",
        here="Arena",
        project=project,
        board=board,
        boards=BOARDS,
        may_vote=is_at_least(role, Role.ANNOTATOR),
        voters=_voters(project, refit) if is_at_least(role, Role.ADMIN) else None,
        may_export=is_at_least(role, Role.CURATOR),
        refit=refit,
        problem=PROBLEMS.get(refit.problem, "") if refit else "",
        rows=rows,
        ticks=ticks,
        matrix=_matrix(refit, ratings) if refit else None,
        bias=_bias(refit) if refit else None,
        excluded=len(refit.excluded) if refit else 0,
        plan=_plan(request, refit, rated) if refit and len(rated) > 1 else None,
        votes=whole(refit.votes) if refit else "0",
    )


@require_safe
@login_required
@refusals_as_errors
def arena_votes(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Every vote on a board as it was given, with who made the layers; for people who lead the project."""
    project = project_for(request.user, slug, Role.CURATOR)
    board = _board(request)
    writer = csv.writer(Echo())
    lines = (writer.writerow(row) for row in chain([RAW], raw_votes(project, board)))
    headers = {"Content-Disposition": f'attachment; filename="{project.slug}-{board}-votes.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


class Echo:
    """A file for ``csv`` that hands every line back."""

    def write(self, line: str) -> str:
        return line


@require_safe
@login_required
@refusals_as_errors
def calibration(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug)
    board = _board(request)
    metric = request.GET.get("metric", "hpa")
    metric = metric if metric in METRICS else "hpa"
    versions = Calibration.objects.filter(benchmark__project=project, board=board).select_related("benchmark", "refit")
    wanted = request.GET.get("version", "")
    found = versions.order_by("-is_chosen", "-made_at")
    shown = (found.filter(pk=int(wanted)).first() if wanted.isdecimal() else None) or found.first()
    chart = None
    if shown:
        points = [
            point | {"value": point["hpa"] if metric == "hpa" else point["axes"][metric]} for point in shown.points
        ]
        chart = scatter(points)
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
        versions=list(versions.order_by("-made_at")[:20]),
        chart=chart,
        weights=[(name, shown.weights[axis]) for axis, name in METRICS.items() if axis in shown.weights]
        if shown
        else [],
        rows=[(_method(row["name"]), row) for row in shown.rows] if shown else [],
        drift=[(METRICS[row["axis"]], row) for row in shown.drift] if shown else [],
    )


def _board(request: HttpRequest) -> str:
    asked = request.GET.get("board", "")
    return asked if asked in dict(BOARDS) else BOARDS[0][0]


def _method(name: str) -> str:
    """Names of axes as people know them."""
    return " + ".join(METRICS.get(part, part) for part in name.split(" + "))


def _interval(one: Rating) -> tuple[float, float, float]:
    """Low, rating, high of a producer that has one."""
    return one.ci_low or 0.0, one.rating or 0.0, one.ci_high or 0.0


def _rank(one: Rating) -> str:
    if one.rank_low is None:
        return "–"
    return str(one.rank_low) if one.rank_low == one.rank_high else f"{one.rank_low}–{one.rank_high}"


def _beats(one: Rating, following: list[Rating]) -> str:
    """Chance to be preferred to the next one where it is no tie."""
    if not following or one.rating is None or following[0].rating is None:
        return ""
    return f"{100 / (1 + 10 ** ((following[0].rating - one.rating) / 400)):.0f} %"


def _voters(project: Project, refit: Refit | None) -> list[tuple[Voter, str]]:
    """People with the careless habit that the anomaly test saw in them, if any."""
    habits = {one["annotator"]: one["habit"] for one in refit.excluded} if refit else {}
    return [(voter, habits.get(voter.user_id, "")) for voter in voters_of(project)]


def _matrix(refit: Refit, ratings: list[Rating]) -> Any:
    if not refit.wins:
        return None
    place = {producer: at for at, producer in enumerate(refit.wins["producers"])}
    asked = [one for one in ratings if str(one.producer_id) in place]
    order = [place[str(one.producer_id)] for one in asked]
    won, votes = ([[refit.wins[key][row][column] for column in order] for row in order] for key in ("won", "votes"))
    return win_matrix([one.producer.name for one in asked], won, votes)


def _bias(refit: Refit) -> dict[str, Any] | None:
    if not refit.bias:
        return None
    value, low, high = (100 * share for share in refit.bias["shares"])
    return {"value": value, "low": low, "high": high, "people": refit.bias["people"], "rough": refit.bias["is_rough"]}


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """Two neighbours; ``whisker`` of their gap. ``more`` as text."""

    better: str
    worse: str
    gap: float
    whisker: Whisker
    zero: float
    more: str
    is_apart: bool


def _plan(request: HttpRequest, refit: Refit, rated: list[Rating]) -> dict[str, Any]:
    """Votes still needed between neighbours, and the days they take."""
    from evaluation.rating import ELO
    from evaluation.rating_planning import MOST_VOTES, still_needed

    asked = request.GET.get("confidence", "")
    confidence = int(asked) if asked.isdecimal() and int(asked) in CONFIDENCES else 95
    speed = request.GET.get("speed", "")
    per_day = min(max(int(speed), 1), 100_000) if speed.isdecimal() else 600
    by_id = {str(one.producer_id): one for one in rated}
    found = []
    for better, worse, variance in refit.gaps:
        gap = (by_id[better].rating or 0) - (by_id[worse].rating or 0)
        half, more = still_needed(gap / ELO, variance, refit.tie or 0.0, confidence / 100)
        found.append((by_id[better].producer.name, by_id[worse].producer.name, gap, float(half * ELO), more))
    scale, _ = rating_scale([0.0, *(gap + sign * half for _, _, gap, half, _ in found for sign in (-1, 1))])
    pairs = [
        PlannedPair(
            better,
            worse,
            gap,
            whisker(scale, gap - half, gap, gap + half),
            scale.at(0.0),
            "apart" if more == 0 else f"over {whole(MOST_VOTES)}" if more is None else whole(more),
            more == 0,
        )
        for better, worse, gap, half, more in found
    ]
    total = sum(more for *_, more in found if more is not None)
    return {
        "pairs": pairs,
        "confidence": confidence,
        "confidences": CONFIDENCES,
        "speed": per_day,
        "apart": sum(pair.is_apart for pair in pairs),
        "total": whole(total),
        "is_done": all(pair.is_apart for pair in pairs),
        "endless": sum(more is None for *_, more in found),
        "days": math.ceil(total / per_day),
    }
