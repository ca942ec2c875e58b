"""Reports of ``evaluation.score`` taken into the database: one run, one row for every number."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction

from engine.models import Layer, Producer, Project
from engine.refusals import Refusal
from engine.revision import code_revision
from evaluation.models import Benchmark, EvaluationRun, MetricScore

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
        bounds = {board["kind"]: board["hpa"]["bounds"] for board in report["boards"]}
        networks, digest = report["networks"], report["benchmark"]
        scores = list(_scores(report, layers or {}))
        is_offline = report["variant"] != "published"
    except (KeyError, TypeError) as error:
        raise Refusal("not_a_report", f"The report is incomplete: {error!r}.") from error
    with transaction.atomic():
        known, _ = Benchmark.objects.get_or_create(project=project, name=benchmark, defaults={"digest": digest})
        known = Benchmark.objects.select_for_update(no_key=True).get(pk=known.pk)
        if known.digest != digest:
            raise Refusal("other_truths", f"{benchmark} has other truths than this report; name a new benchmark.")
        for board, ends in bounds.items():
            if known.bounds.setdefault(board, ends) != ends:
                raise Refusal("other_bounds", f"{benchmark} has other {board} bounds than this report.")
        known.save(update_fields=["bounds"])
        run = EvaluationRun.objects.create(
            benchmark=known,
            producer=producer,
            protocol=report["protocol"],
            networks=networks,
            networks_digest=hashlib.sha256(json.dumps(networks, sort_keys=True).encode()).hexdigest(),
            is_offline=is_offline,
            code_revision=code_revision(),
        )
        own = set(Layer.objects.filter(pk__in=(layers or {}).values(), project=project).values_list("pk", flat=True))
        MetricScore.objects.bulk_create(
            MetricScore(run=run, **fields) for fields in scores if fields.get("layer_id") in {None, *own}
        )
    return run


def _scores(report: Mapping[str, Any], layers: Mapping[str, uuid.UUID]) -> Iterator[dict[str, Any]]:
    rows = {row["name"]: row for row in report["rows"]}
    for board in report["boards"]:
        kind = board["kind"]
        for result in board["results"]:
            yield {"board": kind, **_number(result)}
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
