"""Scores of producers on one benchmark, ready to be put beside their ratings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from evaluation.metrics.hpa import AXES, Bounds
from evaluation.models import Benchmark, EvaluationRun, MetricScore
from training.models import JobStatus


@dataclass(frozen=True, slots=True)
class Scored:
    """The newest run of one producer: each axis brought to the benchmark's bounds, 1 is best."""

    run: EvaluationRun
    axes: dict[str, float]


def axis_scores(benchmark: Benchmark, board: str) -> dict[uuid.UUID, Scored]:
    """Producers whose newest run has all three axes. Runs of other networks than the newest run's are left out."""
    newest = benchmark.runs.filter(status=JobStatus.FINISHED).order_by("-created_at", "-id").first()
    bounds = bounds_of(benchmark, board, newest.networks_digest) if newest else None
    if newest is None or bounds is None:
        return {}
    latest = latest_runs(benchmark, newest.networks_digest)
    scores = MetricScore.objects.filter(run__in=latest.values(), board=board, metric__in=AXES, dimension="", layer=None)
    found: dict[uuid.UUID, dict[str, float]] = {}
    for run_id, metric, value in scores.values_list("run", "metric", "value"):
        if value is not None:
            found.setdefault(run_id, {})[metric] = bounds.axis(metric).normalise(value)
    return {
        producer: Scored(run, {axis: found[run.pk][axis] for axis in AXES})
        for producer, run in latest.items()
        if len(found.get(run.pk, {})) == len(AXES)
    }


def bounds_of(benchmark: Benchmark, board: str, networks_digest: str) -> Bounds | None:
    """The fixed ends of HPA's axes for scores by these networks; ``None`` before the first report."""
    known = benchmark.bounds.get(networks_digest, {}).get(board)
    return Bounds.from_json(known) if known else None


def latest_runs(benchmark: Benchmark, networks_digest: str) -> dict[uuid.UUID, EvaluationRun]:
    """Producer to its newest finished run by these networks."""
    runs = benchmark.runs.filter(networks_digest=networks_digest, status=JobStatus.FINISHED)
    latest: dict[uuid.UUID, EvaluationRun] = {}
    for run in runs.select_related("producer").order_by("-created_at", "-id"):
        latest.setdefault(run.producer_id, run)
    return latest


def slice_scores(runs: list[EvaluationRun], board: str) -> dict[tuple[str, str, str], dict[uuid.UUID, float]]:
    """(dimension, slice, axis) to producer to raw value, for the axes that exist per slice."""
    found: dict[tuple[str, str, str], dict[uuid.UUID, float]] = {}
    sliced = MetricScore.objects.filter(run__in=runs, board=board, metric__in=AXES, layer=None)
    rows = sliced.exclude(dimension="").values_list("dimension", "slice", "metric", "run__producer", "value")
    for dimension, name, metric, producer, value in rows:
        if value is not None:
            found.setdefault((dimension, name, metric), {})[producer] = value
    return found
