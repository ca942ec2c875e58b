"""The dashboard of a project: for curators, with people compared only for admins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from annotation.selectors.bulk_acts import running_acts
from annotation.selectors.dashboard import defect_examples, judges
from engine.models import Layer, Role, Worker
from engine.selectors.access import is_at_least, project_for, role_of
from frontend.dashboard_charts import interval, pareto, spark
from frontend.pictures import view_box
from frontend.views.dashboard_rows import RANGES, SHOWN_GROUPS, Dashboard, name_in, name_of
from frontend.views.figures import UNKNOWN, percent, seconds, whole, words
from frontend.views.funnel import funnel_rows
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.tables import csv_answer

WORKERS_SHOWN = 6
SHOWN_TABLES = ("throughput", "burndown", "defects", "acceptance", "queues", "engine")
SHORT = {"foreground": "fore", "background": "back"}
FLAGS = {"too_fast": "Fast: median {:.0f} ms", "straight_line": "{:.0f} equal answers in a row"}
FAR = timedelta(days=730)


@require_safe
@login_required
@refusals_as_errors
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    board = board_of(request, slug)
    project = board.project
    return page(
        request,
        "frontend/dashboard.html",
        here="Dashboard",
        project=project,
        board=board,
        ranges=[(key, label, key == board.range) for key, (label, _) in RANGES.items()],
        data=board.chart_data(),
        figures=_figures(board),
        middle=_middle_figures(board),
        pareto=pareto([(words(kind).capitalize(), count) for kind, count in board.defects]),
        examples=_examples(board),
        accepted=_accepted(board),
        people=[_person(board, person) for person in board.people] if board.compares else [],
        members=judges(project) if board.compares else [],
        has_gold=any(row.gold for row in board.quality.people),
        has_others=any(row.with_others for row in board.quality.people),
        running_acts=running_acts(project) if board.compares else [],
        queue=_queue(board),
        run=board.last_run,
        funnel=funnel_rows(board.report) if board.report else [],
        workers=_workers(board),
        tables={name: board.tables[name]() for name in SHOWN_TABLES},
    )


@require_safe
@login_required
@refusals_as_errors
def dashboard_csv(request: HttpRequest, slug: str, table: str) -> HttpResponseBase:
    """One chart's numbers as CSV."""
    board = board_of(request, slug)
    return csv_answer(board.tables, table, board.project.name)


def board_of(request: HttpRequest, slug: str) -> Dashboard:
    """The project's dashboard in the range that is asked for. Raises ``Refusal`` for people below curator."""
    project = project_for(request.user, slug, Role.CURATOR)
    asked = request.GET.get("range", "")
    compares = is_at_least(role_of(request.user, project), Role.ADMIN)
    return Dashboard(project, asked if asked in RANGES else "day", compares)


def _figures(board: Dashboard) -> dict[str, str]:
    """The strip at the top, as text."""
    total = board.decisions.total()
    hours = board.active_ms / 3_600_000
    settled = [row for row in board.accepted["kind"] if row.share is not None]
    shares = ", ".join(f"{percent(row.share)} {SHORT.get(row.name, row.name)}" for row in settled)
    told = board.burndown.forecast
    return {
        "decisions": whole(total),
        "active": f"{_people(len({row.annotator_id for row in board.work}))}, {hours:.1f} h active",
        "accepted": percent(board.accepted_share),
        "shares": f"layers: {shares}" if shares else "no layer settled yet",
        "left": whole(board.queue.left),
        "eta": _eta(board),
        "rate": "" if told is None else f"{whole(round(told.per_day))} a day lately",
    }


def _middle_figures(board: Dashboard) -> list[tuple[str, str, str]]:
    """Agreement and gold accuracy where they are known, otherwise pace and doubt: title, figure, note."""
    total, hours = board.decisions.total(), board.active_ms / 3_600_000
    pace = whole(round(total / hours)) if hours >= 1 / 60 else UNKNOWN
    unsure = percent(board.decisions["unsure"] / total if total else None)
    found = []
    if alpha := board.quality.alpha:
        interval = f"95 %: {alpha.low:.2f} to {alpha.high:.2f}, {whole(alpha.n)} layers"
        found.append(("Agreement, alpha", f"{alpha.value:.2f}", interval))
    if gold := board.quality.gold:
        right = f"{whole(round(gold.value * gold.n))} of {whole(gold.n)} hidden checks"
        found.append(("Gold accuracy", percent(gold.value), right))
    spare = [("Per active hour", pace, "decisions"), ("Unsure", unsure, "left to somebody else")]
    return (found + spare)[:2]


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _eta(board: Dashboard) -> str:
    told = board.burndown.forecast
    if not board.queue.left:
        return "nothing left"
    if told is None:
        return "no pace yet"
    if told.days > FAR.days:
        return f"in about {told.days / 365:.0f} years"
    middle = board.now + timedelta(days=told.days)
    if told.low is None or told.high is None or told.high > FAR.days:
        return f"done about {middle:%-d %b}"
    low, high = board.now + timedelta(days=told.low), board.now + timedelta(days=told.high)
    if low.date() == high.date():
        return f"done on {middle:%a %-d %b}"
    return f"done {low:%-d %b} to {high:%-d %b}"


def _examples(board: Dashboard) -> list[tuple[str, list[tuple[Layer, str]]]]:
    """Pictures of the most frequent defects, each with the part of it to show."""
    kinds = [kind for kind, _ in board.defects[:4]]
    return [
        (
            words(kind).capitalize(),
            [(layer, view_box(layer.box, layer.image.width, layer.image.height)) for layer in found],
        )
        for kind, found in defect_examples(board.project, kinds).items()
        if found
    ]


def _accepted(board: Dashboard) -> list[tuple[str, list[dict[str, Any]]]]:
    return [
        (
            group,
            [
                {
                    "name": name_in(group, row.name),
                    "share": percent(row.share),
                    "width": 100 * (row.share or 0),
                    "judged": whole(row.judged),
                    "waiting": whole(row.waiting),
                }
                for row in rows[:SHOWN_GROUPS]
            ],
        )
        for group, rows in board.accepted.items()
    ]


def _person(board: Dashboard, person: Any) -> dict[str, Any]:
    away = person.is_away(board.now)
    quality = board.quality_of.get(person.user.pk)
    return {
        "user": person.user,
        "name": name_of(person.user),
        "decisions": whole(person.decisions),
        "per_hour": UNKNOWN if person.per_hour is None else whole(round(person.per_hour)),
        "spark": spark(person.series),
        "median": seconds(None if person.median_ms is None else person.median_ms / 1000),
        "accepted": percent(person.accepted_share),
        "unsure": percent(person.unsure_share),
        "active": seconds(person.active_ms / 1000),
        "holds": person.holds,
        "gold": quality and quality.gold and interval(quality.gold),
        "with_others": percent(quality.with_others.value if quality and quality.with_others else None),
        "flags": [FLAGS[alarm.kind].format(alarm.value) for alarm in quality.alarms] if quality else [],
        "state": ("", _ago(board, person.last_at)) if away else ("good", "Active"),
    }


def _ago(board: Dashboard, moment: Any) -> str:
    if moment is None:
        return "No verdict yet"
    gone = board.now - moment
    if gone < timedelta(hours=2):
        return f"Away {gone // timedelta(minutes=1)} min"
    return f"Away {gone // timedelta(hours=1)} h" if gone < timedelta(days=2) else f"Away {gone.days} days"


def _queue(board: Dashboard) -> list[dict[str, Any]]:
    state = board.queue
    total = max(1, state.left + state.filled)
    rows = [
        ("Open", state.open, ""),
        ("In hands", state.leased, ""),
        ("Lease ended", state.expired, "warn" if state.expired else ""),
        ("Judged", state.filled, "good"),
        ("For a reviewer", state.adjudications, "warn" if state.adjudications else ""),
    ]
    return [{"name": n, "count": whole(c), "width": min(100, 100 * c / total), "tone": tone} for n, c, tone in rows]


def _workers(board: Dashboard) -> list[dict[str, Any]]:
    rows = []
    for worker in Worker.objects.order_by("-heartbeat_at")[:WORKERS_SHOWN]:
        silent = board.now - worker.heartbeat_at
        is_silent = silent > timedelta(minutes=2)
        rows.append(
            {
                "worker": worker,
                "is_silent": is_silent,
                "heard": _ago(board, worker.heartbeat_at).removeprefix("Away ") if is_silent else "now",
            }
        )
    return rows
