"""Benchmarks of a project, their boards, slices and worst cases; what metrics say of one layer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet

from engine.models import Layer, Project
from engine.refusals import Refusal
from engine.selectors.access import projects_of, require_role
from evaluation.metrics.hpa import AXES, hpa
from evaluation.models import Answer, Benchmark, Calibration, EvaluationRun, MetricScore
from evaluation.selectors.scores import bounds_of, latest_runs
from training.models import JobStatus

WORST = 12
WORSE = {"s_vis": "lower", "s_gen": "higher", "mse": "lower", "soft_iou": "higher"}
"""Metrics of single layers by which the worst are looked for, and which way is better."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A producer on a board: its scores by metric. ``calibrated`` is HPA with the chosen weights, or ``None``."""

    run: EvaluationRun
    scores: Mapping[str, MetricScore]
    calibrated: float | None = None

    @property
    def hpa(self) -> MetricScore | None:
        return self.scores.get("hpa")


@dataclass(frozen=True)
class BoardOfScores:
    """Producers scored by one set of networks, the best HPA first; ``calibration`` is what was chosen for them."""

    standings: list[Standing] = field(default_factory=list)
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class NetworkSet:
    digest: str
    variant: str
    runs: int

    @property
    def is_offline(self) -> bool:
        return self.variant.startswith("offline")


def benchmarks_of(user: Any, project: Project | None = None) -> QuerySet[Benchmark]:
    """Those of this person's projects, the newest first; ``size`` is how many prompts each has."""
    seen = Benchmark.objects.annotate(size=Count("items")).order_by("-created_at", "-id")
    return seen.filter(project__in=projects_of(user)) if project is None else seen.filter(project=project)


def benchmark_for(user: Any, benchmark_id: uuid.UUID, at_least: str) -> Benchmark:
    """Raises ``Refusal``: 404 for strangers and unknown ids, 403 for too low a role."""
    seen = Benchmark.objects.select_related("project").annotate(size=Count("items"))
    found = seen.filter(pk=benchmark_id).first()
    if found is None:
        raise Refusal("not_found", "There is no such benchmark.", 404)
    require_role(user, found.project, at_least)
    return found


def network_sets(benchmark: Benchmark) -> list[NetworkSet]:
    """By which networks anything was scored here, the published ones first."""
    rows = benchmark.runs.filter(status=JobStatus.FINISHED).order_by().values("networks_digest", "variant")
    sets = [NetworkSet(row["networks_digest"], row["variant"], row["runs"]) for row in rows.annotate(runs=Count("pk"))]
    return sorted(sets, key=lambda one: (one.is_offline, -one.runs, one.digest))


def board_of_scores(benchmark: Benchmark, board: str, networks_digest: str) -> BoardOfScores:
    """The newest finished run of every producer by these networks."""
    latest = latest_runs(benchmark, networks_digest)
    by_run: dict[uuid.UUID, dict[str, MetricScore]] = {run.pk: {} for run in latest.values()}
    whole = MetricScore.objects.filter(run__in=latest.values(), board=board, dimension="", layer=None)
    for score in whole:
        by_run[score.run_id][score.metric] = score
    calibration = chosen_calibration(benchmark, board, networks_digest)
    standings = [
        Standing(run, by_run[run.pk], _calibrated(by_run[run.pk], benchmark, board, networks_digest, calibration))
        for run in latest.values()
        if by_run[run.pk]
    ]
    standings.sort(key=lambda one: (_value(one.hpa) is None, -(_value(one.hpa) or 0.0), one.run.producer.name))
    return BoardOfScores(standings, calibration)


def chosen_calibration(benchmark: Benchmark, board: str, networks_digest: str) -> Calibration | None:
    """The chosen weights, where they were fitted to scores by the same networks within the same bounds."""
    bounds = bounds_of(benchmark, board, networks_digest)
    if bounds is None:
        return None
    chosen = Calibration.objects.filter(benchmark=benchmark, board=board, is_chosen=True)
    return chosen.filter(networks_digest=networks_digest, bounds_version=bounds.version).first()


def slice_table(run: EvaluationRun, board: str) -> list[tuple[str, str, int, dict[str, MetricScore]]]:
    """(Dimension, slice, layers, scores by metric)."""
    found: dict[tuple[str, str], dict[str, MetricScore]] = {}
    for score in run.scores.filter(board=board, layer=None).exclude(dimension="").order_by("id"):
        found.setdefault((score.dimension, score.slice), {})[score.metric] = score
    return [
        (dimension, name, max(score.n for score in scores.values()), scores)
        for (dimension, name), scores in found.items()
    ]


def worst_answers(run: EvaluationRun, board: str, metric: str) -> list[tuple[Answer, float]]:
    """Answers with the worst values of one of ``WORSE``, the worst first; perfect ones are not among them."""
    better = WORSE[metric]
    perfect = 0 if better == "lower" else 1
    answers = Answer.objects.filter(run=run, item__board=board).select_related("item__layer")
    valued = [(answer, answer.values.get(metric)) for answer in answers]
    faulty = [(answer, value) for answer, value in valued if value is not None and value != perfect]
    faulty.sort(key=lambda one: one[1], reverse=better == "lower")
    return faulty[:WORST]


def scores_of_layer(layer: Layer) -> list[MetricScore]:
    """What was measured of this very layer, the newest run first."""
    scores = MetricScore.objects.filter(layer=layer).select_related("run__benchmark", "run__producer")
    return list(scores.order_by("-run__created_at", "metric"))


def answers_on_layer(layer: Layer) -> list[Answer]:
    """How producers did where this layer is the truth of a benchmark, the newest first."""
    answers = Answer.objects.filter(item__layer=layer, run__status=JobStatus.FINISHED)
    return list(answers.select_related("run__producer", "run__benchmark").order_by("-run__created_at")[:12])


def _calibrated(
    scores: Mapping[str, MetricScore],
    benchmark: Benchmark,
    board: str,
    networks_digest: str,
    calibration: Calibration | None,
) -> float | None:
    bounds = bounds_of(benchmark, board, networks_digest)
    if calibration is None or bounds is None:
        return None
    values = {axis: _value(scores.get(axis)) for axis in AXES}
    weights = {axis: calibration.weights[axis]["value"] for axis in AXES}
    return hpa(values, bounds, weights).value


def _value(score: MetricScore | None) -> float | None:
    return score.value if score else None
