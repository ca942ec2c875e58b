"""What people's verdicts are worth: layers they accepted against as many by lot, trained alike from nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from annotation.selectors.truth import Truth
from evaluation.intervals import student_mean
from evaluation.loop_terms import LoopTerms
from evaluation.models import Benchmark, EvaluationRun, LoopRound
from evaluation.selectors.gates import score_differences
from evaluation.services import evaluations
from evaluation.services.loop import BENCHMARK, Tell, begin, next_round, work_on
from training.models import Checkpoint
from training.services.leases import claim

WRONG = 0.15
JUDGEMENTS = 3
LAST = "vote_pictures"
"""The arms end with their checkpoints; nobody votes between them."""


def compare_curation(name: str, terms: LoopTerms, tell: Tell = lambda line: None) -> dict[str, Any]:
    """Two projects with the same pictures: people who err in 15 % of verdicts, and as many layers by lot.

    ``{layers, right, scores}``: layers learned from, the share of them that is right, and the curated checkpoint's
    scores less the other's, as ``score_differences``. Called again it goes on. Raises ``Refusal``.
    """
    people = max(terms.annotators, JUDGEMENTS + 2)
    judged = replace(terms, error_rate=WRONG, judgements=JUDGEMENTS, annotators=people, mends=0)
    curated = _trained(f"{name}, curated", judged, tell)
    assert curated.snapshot is not None
    by_lot = replace(judged, accepted_by_lot=curated.snapshot.rows)
    uncurated = _trained(f"{name}, uncurated", by_lot, tell)
    benchmark = Benchmark.objects.get(project=curated.project, name=BENCHMARK)
    runs = [_scored(benchmark, _checkpoint(one)) for one in (curated, uncurated)]
    return {
        "layers": [one.snapshot.rows if one.snapshot else 0 for one in (curated, uncurated)],
        "right": [_right(one) for one in (curated, uncurated)],
        "variant": runs[0].variant,
        "scores": score_differences(*runs),
    }


def compare_curation_often(
    name: str, terms: LoopTerms, times: int, tell: Tell = lambda line: None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """``compare_curation`` with other pictures, people and first weights each time, at least twice; and their means.

    A mean is ``{board, metric, better, difference, low, high, n}`` with Student's 95 % interval over the comparisons:
    it holds for other pictures and first weights too, which the interval of one comparison knows nothing of.
    """
    found = [
        compare_curation(f"{name} {number}", replace(terms, seed=terms.seed + number), tell)
        for number in range(1, times + 1)
    ]
    rows = [{(row["board"], row["metric"]): row for row in one["scores"]} for one in found]
    common = [key for key in rows[0] if all(key in one for one in rows)]
    return found, [_mean([one[key] for one in rows]) for key in common]


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    about = {name: rows[0][name] for name in ("board", "metric", "better")}
    found = student_mean([row["difference"] for row in rows])
    return {**about, "difference": found.estimate, "low": found.low, "high": found.high, "n": len(rows)}


def _trained(name: str, terms: LoopTerms, tell: Tell) -> LoopRound:
    round_ = next_round(begin(name, terms), terms)
    work_on(round_, tell, until=LAST)
    return round_


def _checkpoint(round_: LoopRound) -> Checkpoint:
    assert round_.training_run is not None
    assert round_.training_run.checkpoint is not None
    return round_.training_run.checkpoint


def _scored(benchmark: Benchmark, checkpoint: Checkpoint) -> EvaluationRun:
    run = evaluations.ask_evaluation(benchmark=benchmark, checkpoint=checkpoint.name, producer=checkpoint.producer)
    ours = claim(EvaluationRun, run.pk)
    if ours is not None:
        evaluations.work_on(ours)
    run.refresh_from_db()
    return run


def _right(round_: LoopRound) -> float:
    """Of the layers learned from."""
    assert round_.snapshot is not None
    truth = Truth(round_.project, 0)
    layers = list(round_.snapshot.items.values_list("layer_id", flat=True))
    return sum(map(truth, layers)) / len(layers)
