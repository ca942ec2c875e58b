"""The planner of the arena: how many votes neighbours on the leaderboard still need until they are told apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from evaluation.models import Rating, Refit
from frontend.arena_charts import Whisker, rating_scale, whisker
from frontend.views.figures import whole
from frontend.views.tables import Table

CONFIDENCES = [80, 90, 95, 99]


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """Two neighbours; ``ends`` and ``whisker`` of their gap. ``more`` as text."""

    better: str
    worse: str
    gap: float
    ends: tuple[float, float]
    whisker: Whisker
    zero: float
    more: str
    is_apart: bool


def plan_of(request: HttpRequest, refit: Refit, rated: list[Rating]) -> dict[str, Any]:
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
            (gap - half, gap + half),
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


def plan_table(plan: dict[str, Any] | None) -> Table:
    pairs: list[PlannedPair] = plan["pairs"] if plan else []
    head = ["Producer", "Over", "Gap", "Low", "High", "More votes"]
    rows = [[one.better, one.worse, *(round(end, 1) for end in (one.gap, *one.ends)), one.more] for one in pairs]
    return Table("Votes still needed", head, rows)
