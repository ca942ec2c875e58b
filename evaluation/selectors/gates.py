"""The evidence of a gate: scores with paired differences, and the votes so far."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet

from engine.models import Project
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.selectors.access import projects_of, require_role
from evaluation.duel import votes_still_needed
from evaluation.intervals import Interval, clustered_difference, jackknife_difference
from evaluation.models import Answer, EvaluationRun, Gate, MetricScore
from evaluation.selectors.gate_votes import tally

SINGLE = {"s_vis": "lower", "s_gen": "higher", "soft_iou": "higher", "mse": "lower", "recomposition": "lower"}
"""Metrics of single layers that are compared answer by answer, and which way is better."""
WORSE_BY = 0.1
"""Soft IoU that a layer has to lose to count as having got worse."""


def gates_of(user: Any, project: Project | None = None) -> QuerySet[Gate]:
    """Those of this person's projects, the newest first."""
    found = (
        Gate.objects.filter(project__in=projects_of(user)) if project is None else Gate.objects.filter(project=project)
    )
    return found.select_related("checkpoint", "rival", "benchmark", "decided_by").order_by("-created_at", "-id")


def gate_for(user: Any, gate_id: uuid.UUID, at_least: str) -> Gate:
    """Raises ``Refusal``: 404 for strangers and unknown ids, 403 for too low a role."""
    seen = Gate.objects.select_related("project", "checkpoint", "rival", "benchmark", "run", "rival_run")
    found = seen.filter(pk=gate_id).first()
    if found is None:
        raise Refusal("not_found", "There is no such gate.", 404)
    require_role(user, found.project, at_least)
    return found


def evidence_of(gate: Gate) -> dict[str, Any]:
    """``{scores, votes}``, JSON values only. ``scores`` are empty while one of the two is not scored."""
    duel = tally(gate)
    needed = votes_still_needed(duel, gate.confidence)
    votes = {**asdict(duel), "outcome": duel.outcome.value, "needed": needed, "budget": gate.budget}
    return {"scores": score_differences(gate.run, gate.rival_run), "votes": votes}


def score_differences(ours: EvaluationRun | None, theirs: EvaluationRun | None) -> list[dict[str, Any]]:
    """``{board, metric, better, ours, theirs, difference, low, high, n}``; empty unless both were scored by the same
    networks. HPA by a jackknife over photographs, the others answer by answer, photographs drawn with replacement."""
    if ours is None or theirs is None or not ours.networks_digest or ours.networks_digest != theirs.networks_digest:
        return []
    return [
        row
        for kind in LayerKind
        for row in (hpa_difference(ours, theirs, kind.value), *_singles(ours, theirs, kind.value))
        if row is not None
    ]


def items_that_got_worse(ours: EvaluationRun | None, theirs: EvaluationRun | None) -> list[tuple[Answer, float]]:
    """Answers of ours that lose at least ``WORSE_BY`` of soft IoU against theirs, the worst first."""
    if ours is None or theirs is None:
        return []
    before = {answer.item_id: answer.values.get("soft_iou") for answer in Answer.objects.filter(run=theirs)}
    lost = []
    for answer in Answer.objects.filter(run=ours).select_related("item__layer"):
        was, now = before.get(answer.item_id), answer.values.get("soft_iou")
        if was is not None and now is not None and was - now >= WORSE_BY:
            lost.append((answer, was - now))
    return sorted(lost, key=lambda one: -one[1])


def hpa_difference(ours: EvaluationRun, theirs: EvaluationRun, board: str) -> dict[str, Any] | None:
    """One row of ``score_differences``; ``None`` where either has no HPA on the board."""
    scored = MetricScore.objects.filter(board=board, metric="hpa", value__isnull=False)
    new, old = scored.filter(run=ours).first(), scored.filter(run=theirs).first()
    if new is None or old is None:
        return None
    value, before = new.value or 0.0, old.value or 0.0
    without, without_before = (one.choices.get("without") or [] for one in (new, old))
    interval = None
    if len(without) == len(without_before) >= 2:
        interval = jackknife_difference(value, before, without, without_before)
    return _row(board, "hpa", "higher", value, before, new.n, interval)


def _singles(ours: EvaluationRun, theirs: EvaluationRun, board: str) -> list[dict[str, Any]]:
    before = {answer.item_id: answer.values for answer in Answer.objects.filter(run=theirs, item__board=board)}
    now = list(Answer.objects.filter(run=ours, item__board=board).select_related("item"))
    rows = []
    for metric, better in SINGLE.items():
        values = [(a.values.get(metric), before.get(a.item_id, {}).get(metric), a.item.photo) for a in now]
        known = [(new, old, photo) for new, old, photo in values if new is not None and old is not None]
        if not known:
            continue
        places = {photo: at for at, photo in enumerate(dict.fromkeys(photo for *_, photo in known))}
        new, old = [one[0] for one in known], [one[1] for one in known]
        interval, _ = clustered_difference(new, old, [places[photo] for *_, photo in known])
        count = len(known)
        of = interval if len(places) > 1 else None
        rows.append(_row(board, metric, better, sum(new) / count, sum(old) / count, count, of))
    return rows


def _row(
    board: str, metric: str, better: str, ours: float, theirs: float, n: int, interval: Interval | None
) -> dict[str, Any]:
    ends = {"low": None, "high": None} if interval is None else {"low": interval.low, "high": interval.high}
    return {
        "board": board,
        "metric": metric,
        "better": better,
        "ours": ours,
        "theirs": theirs,
        "difference": ours - theirs,
        "n": n,
        **ends,
    }
