"""Rounds of a project, for the page and the command: what was learned from, how good it was, who won, what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine.models import Project
from evaluation.models import EvaluationRun, Gate, LoopRound, MetricScore, Rating, Refit
from training.models import JobStatus, TrainingRun


@dataclass(frozen=True)
class RoundRow:
    """One checkpoint of a project. ``hpa`` and ``rating`` are (low, value, high), or ``None``."""

    number: int
    checkpoint: str
    layers: int | None = None
    acceptance: float | None = None
    hpa: tuple[float | None, float, float | None] | None = None
    variant: str = ""
    rating: tuple[float, float, float] | None = None
    gate: Gate | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_promoted(self) -> bool:
        return self.gate is not None and self.gate.promotion_id is not None

    def to_json(self) -> dict[str, Any]:
        names = ("number", "checkpoint", "layers", "acceptance", "hpa", "variant", "rating", "seconds", "is_promoted")
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
    for number, run in enumerate(runs, 1):
        assert run.checkpoint is not None
        if number == 1 and run.parent is not None:
            first = run.parent
            hpa, variant = _hpa(project, first.producer_id, board)
            rows.append(RoundRow(0, first.name, hpa=hpa, variant=variant, rating=ratings.get(first.producer_id)))
        producer, round_ = run.checkpoint.producer_id, loop.get(run.pk)
        hpa, variant = _hpa(project, producer, board)
        facts = round_.facts if round_ else {}
        rows.append(
            RoundRow(
                number,
                run.checkpoint.name,
                layers=run.snapshot.rows,
                acceptance=facts["accepted"] / facts["judged"] if facts.get("judged") else None,
                hpa=hpa,
                variant=variant,
                rating=ratings.get(producer),
                gate=gates.get(run.checkpoint_id),
                seconds=round_.seconds if round_ else {"training": run.trained_s},
            )
        )
    return rows


def _hpa(project: Project, producer: Any, board: str) -> tuple[tuple[float | None, float, float | None] | None, str]:
    """Of the newest run on the watched benchmark."""
    runs = EvaluationRun.objects.filter(benchmark__project=project, benchmark__is_watched=True, producer=producer)
    run = runs.filter(status=JobStatus.FINISHED).order_by("-created_at").first()
    if run is None:
        return None, ""
    score = MetricScore.objects.filter(run=run, board=board, metric="hpa", value__isnull=False).first()
    return ((score.low, score.value or 0.0, score.high) if score else None), run.variant


def _ratings(project: Project, board: str) -> dict[Any, tuple[float, float, float]]:
    refit = Refit.objects.filter(project=project, board=board).first()
    rated = Rating.objects.filter(refit=refit, rating__isnull=False) if refit else Rating.objects.none()
    return {one.producer_id: (one.ci_low or 0.0, one.rating or 0.0, one.ci_high or 0.0) for one in rated}
