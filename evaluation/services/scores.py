"""Reports of ``evaluation.score`` taken into the database: one run, one row for every number."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from engine.models import Layer, Producer, Project
from engine.refusals import Refusal
from engine.revision import code_revision
from evaluation.features.variants import PUBLISHED, VARIANTS
from evaluation.models import Benchmark, EvaluationRun, MetricScore
from training.models import JobStatus

FORMAT = "rld-score-report-1"


def record_report(
    *,
    project: Project,
    benchmark: str,
    producer: Producer,
    report: Mapping[str, Any],
    layers: Mapping[str, uuid.UUID] | None = None,
) -> EvaluationRun:
    """Store what one producer reached on a benchmark of this name, which is made by its first report.

    ``layers`` maps names of samples to layers of the project; their rows are then kept one by one, for the question
    whether a metric foretells votes. Raises ``Refusal`` 400: ``not_a_report``; ``other_truths`` and ``other_bounds``
    where the report is not about the same benchmark.
    """
    if not isinstance(report, Mapping) or report.get("format") != FORMAT:
        raise Refusal("not_a_report", f"This is no report in the format {FORMAT}.")
    try:
        fields, digest, variant = described(report), report["benchmark"], VARIANTS[VARIANTS.index(report["variant"])]
        complete = [*_scores(report, layers or {}), *(board["hpa"]["bounds"] for board in report["boards"])]
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal("not_a_report", f"The report is incomplete: {error!r}.") from error
    if not complete:
        raise Refusal("not_a_report", "The report has no board.")
    with transaction.atomic():
        known, _ = Benchmark.objects.get_or_create(project=project, name=benchmark, defaults={"digest": digest})
        run = EvaluationRun.objects.create(
            benchmark=known,
            producer=producer,
            variant=variant,
            status=JobStatus.FINISHED,
            finished_at=timezone.now(),
            **fields,
        )
        store_scores(run, report, layers)
    return run


def described(report: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a run that a report says."""
    networks = report["networks"]
    return {
        "protocol": report["protocol"],
        "networks": networks,
        "networks_digest": digest_of_networks(networks),
        "is_offline": report["variant"] != PUBLISHED,
        "code_revision": code_revision(),
    }


def digest_of_networks(networks: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(networks, sort_keys=True).encode()).hexdigest()


def store_scores(run: EvaluationRun, report: Mapping[str, Any], layers: Mapping[str, uuid.UUID] | None = None) -> None:
    """In a transaction: every number of a report on the run's benchmark, whose bounds are fixed by the first one.

    Raises ``Refusal`` 400: ``other_truths``, ``other_bounds``.
    """
    layers = layers or {}
    known = Benchmark.objects.select_for_update(no_key=True).get(pk=run.benchmark_id)
    if known.digest != report["benchmark"]:
        raise Refusal("other_truths", f"{known} has other truths than this report; name a new benchmark.")
    ends = known.bounds.setdefault(run.networks_digest, {})
    for board in report["boards"]:
        new = board["hpa"]["bounds"]
        if ends.setdefault(board["kind"], new) != new:
            raise Refusal("other_bounds", f"{known} has other {board['kind']} bounds than this report.")
    known.save(update_fields=["bounds"])
    own = set(Layer.objects.filter(pk__in=layers.values(), project=known.project_id).values_list("pk", flat=True))
    MetricScore.objects.bulk_create(
        MetricScore(run=run, **fields) for fields in _scores(report, layers) if fields.get("layer_id") in {None, *own}
    )


def _scores(report: Mapping[str, Any], layers: Mapping[str, uuid.UUID]) -> Iterator[dict[str, Any]]:
    rows = {row["name"]: row for row in report["rows"]}
    for board in report["boards"]:
        kind = board["kind"]
        for result in board["results"]:
            yield {"board": kind, **_number(result)}
        if "value" in board["hpa"]:
            yield {"board": kind, **_hpa(board["hpa"], len(board["names"]))}
        for part in board["slices"]:
            for result in part["results"]:
                yield {"board": kind, "dimension": part["dimension"], "slice": part["slice"], **_number(result)}
        for name in board["names"]:
            if name in layers:
                values = {
                    k: v for k, v in rows[name].items() if isinstance(v, (int, float)) and not isinstance(v, bool)
                }
                for metric, value in values.items():
                    yield {"board": kind, "layer_id": layers[name], "metric": metric, "value": value, "n": 1}


def _hpa(hpa: Mapping[str, Any], n: int) -> dict[str, Any]:
    choices = {"bounds": hpa["bounds"]["version"], **{name: hpa.get(name) for name in ("weights", "axes", "without")}}
    return _number({"metric": "hpa", "n": n, "choices": choices, **hpa})


def _number(result: Mapping[str, Any]) -> dict[str, Any]:
    value = result["value"]
    return {
        "metric": result["metric"],
        "value": value,
        "low": result.get("low"),
        "high": result.get("high"),
        "n": result["n"],
        "reason": "" if value is not None else (result.get("reason") or "undefined"),
        "choices": result.get("choices", {}),
    }
