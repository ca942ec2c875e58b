"""Gates with their evidence, and the rounds of a project: what was learned, how good it was, who won."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.models import Layer, Role
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.selectors.access import is_at_least, project_for, role_of
from evaluation.loop_terms import STEPS
from evaluation.metrics.explained import EXPLAINED, Explained
from evaluation.models import Benchmark, Gate, GateStatus
from evaluation.selectors.gates import evidence_of, gate_for, gates_of, items_that_got_worse
from evaluation.selectors.rounds import RoundRow, rounds_of
from evaluation.services.gates import BUDGET, cancel_gate, decide, open_gate, take_back
from frontend.arena_charts import Scale, Whisker, rating_scale, value_scale, whisker
from frontend.views.figures import UNKNOWN, percent, seconds, signed
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.score_tables import gate_scores_table, gate_votes_table, rounds_table
from frontend.views.tables import csv_answer
from training.selectors.checkpoints import checkpoint_for, checkpoints_of, current_checkpoint

BOARDS = [(kind.value, kind.value.capitalize()) for kind in LayerKind]
TONES = {"promoted": "good", "rejected": "bad", "held": "warn", "scoring": "accent", "voting": "accent"}
ACTS = {"promote": GateStatus.PROMOTED, "hold": GateStatus.HELD, "reject": GateStatus.REJECTED}
SHARES = Scale(-1, 101)
MOST_WORSE = 12


@dataclass(frozen=True, slots=True)
class Difference:
    board: str
    about: Explained
    ours: str
    theirs: str
    difference: str
    interval: str
    tone: str
    """``good`` or ``bad`` where the interval says so, else empty."""


@require_safe
@login_required
@refusals_as_errors
def rounds(request: HttpRequest, slug: str) -> HttpResponseBase:
    project = project_for(request.user, slug)
    may_curate = is_at_least(role_of(request.user, project), Role.CURATOR)
    board = _board(request)
    found = rounds_of(project, board)
    if "csv" in request.GET:
        return csv_answer({"rounds": lambda: rounds_table(found)}, request.GET["csv"], f"{project.slug}-{board}")
    hpas = [end for row in found if row.hpa for end in row.hpa if end is not None]
    elos = [end for row in found if row.rating for end in row.rating]
    hpa_scale, hpa_ticks = value_scale(hpas) if hpas else (None, [])
    elo_scale, elo_ticks = rating_scale(elos) if elos else (None, [])
    gates = [(one, TONES.get(one.status, "")) for one in gates_of(request.user, project)[:20]]
    used = current_checkpoint(project)
    rivals = [one for one in checkpoints_of(request.user, project) if one != used and one.project_id == project.pk]
    return page(
        request,
        "frontend/rounds.html",
        here="Projects",
        project=project,
        board=board,
        boards=BOARDS,
        rows=[_round(row, hpa_scale, elo_scale) for row in found],
        hpa_ticks=hpa_ticks,
        elo_ticks=elo_ticks,
        variants=sorted({row.variant for row in found if row.variant}),
        gates=gates,
        open_gate=next((one for one, _ in gates if one.is_open), None),
        may_curate=may_curate,
        checkpoints=rivals if may_curate else [],
        has_benchmark=Benchmark.objects.filter(project=project, is_watched=True).exists(),
        budget=BUDGET,
    )


@require_POST
@login_required
@refusals_as_errors
def gate_open(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, Role.CURATOR)
    budget = request.POST.get("budget", "")
    try:
        checkpoint = checkpoint_for(request.user, request.POST.get("checkpoint") or uuid.UUID(int=0))
        votes = int(budget) if budget.isdecimal() else 0
        made = open_gate(checkpoint=checkpoint, project=project, budget=votes, user=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("rounds", slug=project.slug)
    return redirect("gate", gate_id=made.pk)


@require_safe
@login_required
@refusals_as_errors
def gate(request: HttpRequest, gate_id: uuid.UUID) -> HttpResponseBase:
    found = gate_for(request.user, gate_id, Role.VIEWER)
    project = found.project
    may_curate = is_at_least(role_of(request.user, project), Role.CURATOR)
    evidence = found.evidence or evidence_of(found)
    votes = evidence["votes"]
    if "csv" in request.GET:
        scores = evidence["scores"]
        tables = {"scores": lambda: gate_scores_table(scores), "votes": lambda: gate_votes_table(votes)}
        return csv_answer(tables, request.GET["csv"], f"gate-of-{found.checkpoint.name}")
    worse = items_that_got_worse(found.run, found.rival_run)[:MOST_WORSE]
    return page(
        request,
        "frontend/gate.html",
        here="Projects",
        project=project,
        gate=found,
        tone=TONES.get(found.status, ""),
        is_offline=found.run is not None and found.run.is_offline,
        runs=[run for run in (found.run, found.rival_run) if run is not None],
        total=found.benchmark.items.count(),
        differences=[_difference(row) for row in evidence["scores"]],
        votes=votes,
        shares=_shares(votes),
        needed=_needed(votes),
        confidence=f"{100 * found.confidence:g} %",
        worse=[(answer, f"{lost:.2f}") for answer, lost in worse],
        returned=_returned(found),
        may_decide=may_curate and found.is_open,
        may_undo=may_curate and found.promotion is not None and found.promotion.undone_at is None,
    )


@require_POST
@login_required
@refusals_as_errors
def gate_act(request: HttpRequest, gate_id: uuid.UUID) -> HttpResponse:
    """Promote, hold or reject before the votes have decided; cancel; take a promotion back."""
    found = gate_for(request.user, gate_id, Role.CURATOR)
    act, why = request.POST.get("act", ""), request.POST.get("why", "").replace("\0", "").strip()
    try:
        if act in ACTS:
            verdict = why or "Decided before the votes did."
            done = decide(found, ACTS[act], verdict=verdict, user=request.user)
        elif act == "cancel":
            done = cancel_gate(found, request.user)
        else:
            done = act == "undo" and take_back(found)
        if not done:
            messages.warning(request, "Nothing changed: it was decided meanwhile.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("gate", gate_id=found.pk)


def _round(row: RoundRow, hpa_scale: Scale | None, elo_scale: Scale | None) -> dict[str, Any]:
    hpa, elo = row.hpa, row.rating
    spent = sum(row.seconds.values())
    drawn = None
    if hpa is not None and hpa_scale is not None:
        low, value, high = hpa
        drawn = whisker(hpa_scale, value if low is None else low, value, value if high is None else high)
    return {
        "row": row,
        "hpa": UNKNOWN if hpa is None else f"{hpa[1]:.3f}",
        "hpa_ends": "" if hpa is None or hpa[0] is None or hpa[2] is None else f"{hpa[0]:.3f} to {hpa[2]:.3f}",
        "hpa_whisker": drawn,
        "elo": UNKNOWN if elo is None else f"{elo[1]:.0f}",
        "elo_ends": "" if elo is None else f"{elo[0]:.0f} to {elo[2]:.0f}",
        "elo_whisker": _elo(elo, elo_scale),
        "accepted": percent(row.acceptance),
        "tone": TONES.get(row.gate.status, "") if row.gate else "",
        "took": seconds(spent) if spent else UNKNOWN,
        "times": [(step.replace("_", " "), seconds(row.seconds[step])) for step in STEPS if row.seconds.get(step)],
    }


def _elo(elo: tuple[float, float, float] | None, scale: Scale | None) -> Whisker | None:
    return whisker(scale, *elo) if elo is not None and scale is not None else None


def _difference(row: dict[str, Any]) -> Difference:
    sign = 1 if row["better"] == "higher" else -1
    low, high = row["low"], row["high"]
    tone = ""
    if low is not None and low * high > 0:
        tone = "good" if sign * low > 0 else "bad"
    interval = "" if low is None else f"{signed(low)} to {signed(high)}"
    ours, theirs = f"{row['ours']:.4g}", f"{row['theirs']:.4g}"
    return Difference(row["board"], EXPLAINED[row["metric"]], ours, theirs, signed(row["difference"]), interval, tone)


def _shares(votes: dict[str, Any]) -> dict[str, Any] | None:
    """The share of decided votes that the new one won, in percent of the width."""
    if votes["share"] is None:
        return None
    low, share, high = (100 * votes[name] for name in ("low", "share", "high"))
    return {
        "whisker": whisker(SHARES, low, share, high),
        "low": low,
        "share": share,
        "high": high,
        "half": SHARES.at(50),
        "ticks": [(SHARES.at(percent), f"{percent} %") for percent in (0, 50, 100)],
    }


def _needed(votes: dict[str, Any]) -> str:
    if votes["needed"] == 0:
        return "none"
    if votes["needed"] is None:
        return "not known yet" if votes["share"] is None else "over 20,000"
    return f"about {votes['needed']}"


def _returned(found: Gate) -> list[tuple[Layer, str]]:
    layers = {str(one.pk): one for one in Layer.objects.filter(pk__in=[row["layer"] for row in found.returned])}
    return [(layers[row["layer"]], row["reason"]) for row in found.returned if row["layer"] in layers]


def _board(request: HttpRequest) -> str:
    asked = request.GET.get("board", "")
    return asked if asked in dict(BOARDS) else BOARDS[0][0]
