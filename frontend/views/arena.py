"""Blind votes and what follows from them: the vote page, the leaderboard with its planner, the votes as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotation.models import Criterion, Vote
from annotation.selectors.voters import Voter, voters_of
from engine.models import Project, Role
from engine.records import LayerKind
from engine.selectors.access import is_at_least, project_for, role_of
from evaluation.models import Rating, Refit
from evaluation.selectors.leaderboard import latest_refit
from evaluation.selectors.votes import RAW, raw_votes
from frontend.arena_charts import Whisker, rating_scale, whisker, win_matrix
from frontend.views.arena_plan import plan_of, plan_table
from frontend.views.csv_files import csv_file
from frontend.views.figures import whole
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.score_tables import leaderboard_table, wins_table
from frontend.views.tables import csv_answer

BOARDS = [(kind.value, kind.value.capitalize()) for kind in LayerKind]
PROBLEMS = {
    "no_votes": "Every vote on this board is left out of the fit.",
    "one_producer": "Only one producer has been voted on.",
    "all_ties": "Every vote is a tie, so nothing tells the producers apart.",
    "not_connected": "No two producers have won against each other in both directions yet.",
}
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
def arena(request: HttpRequest, slug: str) -> HttpResponseBase:
    project = project_for(request.user, slug)
    board, role = board_asked_for(request), role_of(request.user, project)
    refit = latest_refit(project, board)
    ratings = list(refit.ratings.select_related("producer")) if refit else []
    rated = [one for one in ratings if one.rating is not None]
    plan = plan_of(request, refit, rated) if refit and len(rated) > 1 else None
    if "csv" in request.GET:
        tables = {"leaderboard": lambda: leaderboard_table(ratings), "plan": lambda: plan_table(plan)}
        tables |= {"wins": lambda: wins_table(refit, ratings)} if refit else {}
        return csv_answer(tables, request.GET["csv"], f"{project.slug}-{board}")
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
        plan=plan,
        votes=whole(refit.votes) if refit else "0",
    )


@require_safe
@login_required
@refusals_as_errors
def arena_votes(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Every vote on a board as it was given, with who made the layers; for people who lead the project."""
    project = project_for(request.user, slug, Role.CURATOR)
    board = board_asked_for(request)
    return csv_file(f"{project.slug}-{board}-votes.csv", RAW, raw_votes(project, board))


def board_asked_for(request: HttpRequest) -> str:
    """``?board=``; the first one where it names none."""
    asked = request.GET.get("board", "")
    return asked if asked in dict(BOARDS) else BOARDS[0][0]


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
