"""The funnel: what each of the six stages took in, kept, dropped and why; right at any moment of a live run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, F, FloatField, Func, Q, QuerySet, Sum, TextField

from engine.models import StageRun
from engine.records import STAGES

KEPT, DROPPED, FAILED = StageRun.Outcome.KEPT, StageRun.Outcome.DROPPED, StageRun.Outcome.FAILED
Reasons = list[tuple[str, int]]


class Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One stage over many pictures. Shares are 0..1 and ``None`` while nothing came in; seconds are per picture.

    ``reasons``, ``failures`` and ``layer_reasons`` are ``(reason, count)``, most frequent first.
    """

    stage: str
    pictures_in: int = 0
    kept: int = 0
    dropped: int = 0
    failed: int = 0
    seconds_median: float | None = None
    seconds_total: float = 0.0
    device_s_total: float = 0.0
    tokens_total: int = 0
    layers_in: int = 0
    layers_out: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    failures: tuple[tuple[str, int], ...] = ()
    layer_reasons: tuple[tuple[str, int], ...] = ()

    @property
    def kept_share(self) -> float | None:
        return self.kept / self.pictures_in if self.pictures_in else None

    @property
    def layers_dropped(self) -> int:
        """Layers the stage gave up one by one; those of a dropped picture go with their picture."""
        return sum(count for _, count in self.layer_reasons)

    @property
    def layers_kept_share(self) -> float | None:
        return 1 - self.layers_dropped / self.layers_in if self.layers_in else None


def funnel(stage_runs: QuerySet[StageRun]) -> list[StageSummary]:
    """The six stages in order, whatever ran of them. Three queries, however many pictures."""
    counts = {row.pop("stage"): row for row in _counts(stage_runs)}
    reasons = _reasons(stage_runs)
    layer_reasons = _layer_reasons(stage_runs)
    return [
        StageSummary(
            stage=stage,
            reasons=tuple(reasons[stage, DROPPED]),
            failures=tuple(reasons[stage, FAILED]),
            layer_reasons=tuple(layer_reasons[stage]),
            **counts.get(stage, {}),
        )
        for stage in STAGES
    ]


def _counts(stage_runs: QuerySet[StageRun]) -> list[dict[str, Any]]:
    rows = (
        stage_runs.order_by()
        .values("stage")
        .annotate(
            pictures_in=Count("pk"),
            kept=Count("pk", filter=Q(outcome=KEPT)),
            dropped=Count("pk", filter=Q(outcome=DROPPED)),
            failed=Count("pk", filter=Q(outcome=FAILED)),
            seconds_median=Median("seconds"),
            seconds_total=Sum("seconds"),
            device_s_total=Sum("device_s"),
            tokens_total=Sum("tokens"),
            layers_in=Sum("layers_in"),
            layers_out=Sum("layers_out"),
        )
    )
    return [dict(row) for row in rows]


def _reasons(stage_runs: QuerySet[StageRun]) -> defaultdict[tuple[str, str], Reasons]:
    """``(stage, outcome)`` to reasons."""
    found: defaultdict[tuple[str, str], Reasons] = defaultdict(list)
    rows = stage_runs.order_by().exclude(outcome=KEPT).values_list("stage", "outcome", "reason")
    for stage, outcome, reason, count in rows.annotate(count=Count("pk")).order_by("-count", "reason"):
        found[stage, outcome].append((reason, count))
    return found


def _layer_reasons(stage_runs: QuerySet[StageRun]) -> defaultdict[str, Reasons]:
    """Stage to reasons of single layers, unnested from the JSON of each stage run."""
    found: defaultdict[str, Reasons] = defaultdict(list)
    unnested = stage_runs.order_by().annotate(
        layer_reason=Func(
            F("dropped_layers"), template="(JSONB_EACH_TEXT(%(expressions)s)).value", output_field=TextField()
        )
    )
    rows = unnested.values_list("stage", "layer_reason").annotate(count=Count("pk")).order_by("-count", "layer_reason")
    for stage, reason, count in rows:
        found[stage].append((reason, count))
    return found
