"""Rounds of a project, for the page and the command: what was learned from, how good it was, who won, what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.models import Project
from evaluation.models import EvaluationRun, Gate, LoopRound, MetricScore, Rating, Refit
from evaluation.selectors.gates import hpa_difference
from training.models import JobStatus, TrainingRun


@dataclass(frozen=True)
class RoundRow:
    """One checkpoint of a project. ``hpa``, ``gain`` and ``rating`` are (low, value, high), or ``None``.

    ``gain``: by how much its HPA is above that of the row before, paired over the benchmark's photographs.
    """

    number: int
    checkpoint: str
    layers: int | None = None
    acceptance: float | None = None
    hpa: tuple[float | None, float, float | None] | None = None
    gain: tuple[float | None, float, float | None] | None = None
    variant: str = ""
    rating: tuple[float, float, float] | None = None
    gate: Gate | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_promoted(self) -> bool:
        return self.gate is not None and self.gate.promotion_id is not None

    def to_json(self) -> dict[str, Any]:
        names = (
            "number",
            "checkpoint",
            "layers",
            "acceptance",
            "hpa",
            "gain",
            "variant",
            "rating",
            "seconds",
            "is_promoted",
        )
        gate = {"gate": self.gate.status if self.gate else None, "verdict": self.gate.verdict if self.gate else ""}
        return {**{name: getattr(self, name) for name in names}, **gate}


def rounds_of(project: Project, board: str) -> list[RoundRow]:
    """One row for every finished training run, the oldest first, after what the project began with."""
    runs = TrainingRun.objects.filter(project=project, status=JobStatus.FINISHED, checkpoint__isnull=False)
    runs = runs.select_related("checkpoint__producer", "snapshot", "parent__producer").order_by("created_at")
    gates: dict[Any, Gate] = {
        gate.checkpoint_id: gate for gate in Gate.objects.filter(project=project).order_by("created_at")
    }
    loop: dict[Any, LoopRound] = {one.training_run_id: one for one in LoopRound.objects.filter(project=project)}
    ratings = _ratings(project, board)
    rows: list[RoundRow] = []
    before: EvaluationRun | None = None
    for number, run in enumerate(runs, 1):
        assert run.checkpoint is not None
        if number == 1 and run.parent is not None:
            first = run.parent
            before = _evaluation(project, first.producer_id)
            rating = ratings.get(first.producer_id)
            rows.append(RoundRow(0, first.name, hpa=_hpa(before, board), variant=_variant(before), rating=rating))
        producer, round_ = run.checkpoint.producer_id, loop.get(run.pk)
        evaluated = _evaluation(project, producer)
        facts = round_.facts if round_ else {}
        rows.append(
            RoundRow(
                number,
                run.checkpoint.name,
                layers=run.snapshot.rows,
                acceptance=facts["accepted"] / facts["judged"] if facts.get("judged") else None,
                hpa=_hpa(evaluated, board),
                gain=_gain(evaluated, before, board),
                variant=_variant(evaluated),
                rating=ratings.get(producer),
                gate=gates.get(run.checkpoint_id),
                seconds=round_.seconds if round_ else {"training": run.trained_s},
            )
        )
        before = evaluated
    return rows


def _evaluation(project: Project, producer: Any) -> EvaluationRun | None:
    """The newest on the watched benchmark."""
    runs = EvaluationRun.objects.filter(benchmark__project=project, benchmark__is_watched=True, producer=producer)
    return runs.filter(status=JobStatus.FINISHED).order_by("-created_at").first()


def _variant(run: EvaluationRun | None) -> str:
    return run.variant if run else ""


def _hpa(run: EvaluationRun | None, board: str) -> tuple[float | None, float, float | None] | None:
    score = MetricScore.objects.filter(run=run, board=board, metric="hpa", value__isnull=False).first() if run else None
    return (score.low, score.value or 0.0, score.high) if score else None


def _gain(
    run: EvaluationRun | None, before: EvaluationRun | None, board: str
) -> tuple[float | None, float, float | None] | None:
    if run is None or before is None or run.networks_digest != before.networks_digest:
        return None
    found = hpa_difference(run, before, board)
    return (found["low"], found["difference"], found["high"]) if found else None


def _ratings(project: Project, board: str) -> dict[Any, tuple[float, float, float]]:
    refit = Refit.objects.filter(project=project, board=board).first()
    rated = Rating.objects.filter(refit=refit, rating__isnull=False) if refit else Rating.objects.none()
    return {one.producer_id: (one.ci_low or 0.0, one.rating or 0.0, one.ci_high or 0.0) for one in rated}
