"""One training run: live numbers, samples over steps, its log; cancel and resume."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from engine.models import Role
from engine.selectors.access import is_at_least, role_of
from frontend.views.figures import UNKNOWN, measured, percent, seconds, whole, words
from frontend.views.rendering import page, refusals_as_errors
from frontend.views.tables import Table, csv_answer
from frontend.views.training import SOURCES, TONES
from training.models import JobStatus, RunTrigger, TrainingMetric, TrainingRun
from training.selectors.training_runs import Pace, pace_of, series_of, training_run_for
from training.services.training_runs import cancel_training_run, resume_training_run

MOST_ROWS = 200
RESUMABLE = (JobStatus.CANCELLED, JobStatus.FAILED)
STARTED = {
    RunTrigger.BUTTON: "by hand",
    RunTrigger.API: "through the API",
    RunTrigger.COMMAND: "by the command",
    RunTrigger.POLICY: "by the policy",
    RunTrigger.LOOP: "by the loop",
}


@require_safe
@login_required
@refusals_as_errors
def training_run(request: HttpRequest, run_id: uuid.UUID) -> HttpResponseBase:
    run = training_run_for(request.user, run_id)
    may_curate = is_at_least(role_of(request.user, run.project), Role.CURATOR)
    series, validation, pace = series_of(run), series_of(run, "validation"), pace_of(run)
    tables = {"steps": lambda: numbers_table(series), "held-out": lambda: numbers_table(validation)}
    if "csv" in request.GET:
        return csv_answer(tables, request.GET["csv"], f"{run.project.slug}-training-{run.number}")
    samples = list(run.samples.order_by("step"))
    return page(
        request,
        "frontend/training_run.html",
        here="Training",
        project=run.project,
        run=run,
        tone=TONES.get(run.status, ""),
        may_cancel=may_curate and run.is_live,
        may_resume=may_curate and run.status in RESUMABLE,
        figures=_figures(run, series, validation, pace),
        data=_data(run, series, validation),
        rows=_rows(series),
        validation=[(row.step, _numbers(row)) for row in validation],
        samples=samples[:1] + samples[1:][-1:],
        between=samples[1:-1],
        facts=_facts(run),
    )


@require_POST
@login_required
@refusals_as_errors
def training_run_cancel(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = training_run_for(request.user, run_id, Role.CURATOR)
    if not cancel_training_run(run):
        messages.warning(request, "This run is over already.")
    return redirect("training-run", run_id=run.pk)


@require_POST
@login_required
@refusals_as_errors
def training_run_resume(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = training_run_for(request.user, run_id, Role.CURATOR)
    if not resume_training_run(run):
        messages.warning(request, "Only cancelled and failed runs go on.")
    return redirect("training-run", run_id=run.pk)


def numbers_table(series: list[TrainingMetric]) -> Table:
    """Every number of every step; empty where it was not finite or not measured."""
    names = sorted({name for row in series for name in row.numbers})
    rows = [[row.step, *(row.numbers.get(name) for name in names)] for row in series]
    return Table("Numbers by step", ["step", *names], rows)


def _figures(
    run: TrainingRun, series: list[TrainingMetric], validation: list[TrainingMetric], pace: Pace
) -> list[tuple[str, str, str]]:
    losses = [row.numbers["loss"] for row in series if row.numbers.get("loss") is not None]
    recent = losses[-8:]
    loss = sum(recent) / len(recent) if recent else None
    name, before, after = _held_out(validation)
    held_out = validation[-1].numbers.get(f"n_{name}") if validation else None
    rate = f"{pace.samples_per_s:.1f}" if pace.samples_per_s else UNKNOWN
    per_step = f"{seconds(pace.seconds_per_step)} a step" if pace.seconds_per_step else "samples a second"
    left = seconds(pace.eta_s) if pace.eta_s is not None else UNKNOWN
    return [
        ("Step", whole(run.step), f"of {whole(run.steps)}" if run.steps else "not started yet"),
        ("Loss", f"{loss:.3f}" if loss is not None else UNKNOWN, "mean of the last 8 steps"),
        ("Samples a second", rate, per_step),
        ("Time left" if run.is_live else "Took", left if run.is_live else seconds(run.trained_s), _since(run)),
        ("Held-out IoU", f"{after:.3f}" if after is not None else UNKNOWN, _change(name, held_out, before)),
    ]


def _since(run: TrainingRun) -> str:
    return f"{seconds(run.trained_s)} so far" if run.is_live else "of training"


def _held_out(validation: list[TrainingMetric]) -> tuple[str, float | None, float | None]:
    """Which examples, their IoU before the first step and after the latest."""
    for name in ("iou_layers", "iou_composites"):
        values = [row.numbers[name] for row in validation if row.numbers.get(name) is not None]
        if values:
            return name.removeprefix("iou_"), values[0], values[-1]
    return "", None, None


def _change(name: str, count: float | None, before: float | None) -> str:
    if before is None:
        return "measured at the start and the end"
    return f"of {f'{count:g} ' if count else ''}{name}; {before:.3f} before"


def _data(run: TrainingRun, series: list[TrainingMetric], validation: list[TrainingMetric]) -> dict[str, Any]:
    """Columns for the charts; a number that was not finite is a gap."""
    names = [name for name in ("iou_layers", "iou_composites") if any(name in row.numbers for row in validation)]
    return {
        "steps": run.steps,
        "step": [row.step for row in series],
        "loss": [row.numbers.get("loss") for row in series],
        "validation": {
            "step": [row.step for row in validation],
            **{name: [row.numbers.get(name) for row in validation] for name in names},
        },
    }


def _rows(series: list[TrainingMetric]) -> list[tuple[int, str, str, str]]:
    """Step, loss, samples a second, learning rate; every step or, of a long run, some of them."""
    every = max(1, -(-len(series) // MOST_ROWS))
    return [
        (
            row.step,
            _plain(row.numbers.get("loss"), ".4f"),
            _plain(row.numbers.get("samples_per_s"), ".1f"),
            _plain(row.numbers.get("lr"), ".1e"),
        )
        for row in series[::every]
    ]


def _numbers(row: TrainingMetric) -> list[tuple[str, str]]:
    return [
        (measured(name), f"{value:g}" if name.startswith("n_") else _plain(value, ".4f"))
        for name, value in sorted(row.numbers.items())
    ]


def _plain(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else format(value, form)


def _facts(run: TrainingRun) -> list[tuple[str, str]]:
    weights = run.weights
    total = sum(weights.values()) or 1
    drawn = [f"{percent(value / total)} {SOURCES[name].lower()}" for name, value in weights.items() if value]
    params = ", ".join(f"{words(name)} {value:g}" for name, value in run.params.items())
    return [
        ("Recipe", run.recipe),
        ("Drawn", ", ".join(drawn)),
        ("Changed numbers", params or "none"),
        ("Started", f"{STARTED.get(RunTrigger(run.trigger), run.trigger)}{_who(run)}"),
        *([("Because", run.cause)] if run.cause else []),
        ("Code revision", run.code_revision),
    ]


def _who(run: TrainingRun) -> str:
    return f", {run.asked_by.get_full_name() or run.asked_by.username}" if run.asked_by else ""
