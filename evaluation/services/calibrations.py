"""HPA weights from ratings, one version after the other."""

from __future__ import annotations

import math
import uuid
from dataclasses import asdict
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Max

from engine.models import Project
from engine.refusals import Refusal
from evaluation.metrics.hpa import AXES, Bounds
from evaluation.models import Benchmark, Calibration, Rating, Refit
from evaluation.selectors.leaderboard import latest_refit
from evaluation.selectors.scores import Scored, axis_scores, slice_scores
from evaluation.selectors.vote_differences import AXES as SINGLE_AXES
from evaluation.selectors.vote_differences import vote_differences

LEAST_IN_A_SLICE = 4
HALF_WIDTHS = 1.96


def calibrate_board(*, project: Project, benchmark: Benchmark, board: str) -> Calibration:
    """Join the newest ratings with the newest scores and fit. Kept as a new version; nothing uses it until chosen.

    Raises ``Refusal`` 409: ``no_ratings``, or a code of ``NotCalibrated`` (``too_few_producers``, ``not_a_number``,
    ``no_difference``).
    """
    from evaluation.calibration import NotCalibrated, calibrate

    refit = latest_refit(project, board)
    if refit is None or refit.problem:
        raise Refusal("no_ratings", f"The {board} board has no ratings yet.", 409)
    scored = axis_scores(benchmark, board)
    rated = [rating for rating in refit.ratings.select_related("producer") if rating.rating is not None]
    joined = [rating for rating in rated if rating.producer_id in scored]
    scores = np.array([[scored[rating.producer_id].axes[axis] for axis in AXES] for rating in joined]).reshape(-1, 3)
    ratings = np.array([rating.rating for rating in joined], float)
    ends = np.array([(rating.ci_low, rating.ci_high) for rating in joined], float).reshape(-1, 2)
    try:
        # The refit keeps intervals, not its thousand resamples: normal draws of the same width stand for them.
        errors = np.diff(ends).ravel() / (2 * HALF_WIDTHS)
        drawn = np.random.default_rng(0).normal(ratings, errors, (1000, len(ratings)))
        found = calibrate(AXES, scores, ratings, drawn)
    except NotCalibrated as reason:
        raise Refusal(reason.code, str(reason), 409) from reason
    networks_digest = next(iter(scored.values())).run.networks_digest
    with transaction.atomic():
        known = Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
        bounds = Bounds.from_json(known.bounds[networks_digest][board])
        last = Calibration.objects.filter(benchmark=benchmark, board=board).aggregate(version=Max("version"))
        return Calibration.objects.create(
            benchmark=benchmark,
            refit=refit,
            board=board,
            version=(last["version"] or 0) + 1,
            bounds_version=bounds.version,
            networks_digest=networks_digest,
            weights={axis: _plain(asdict(weight)) for axis, weight in zip(AXES, found.weights, strict=True)},
            slope=found.line.slope,
            intercept=found.line.intercept,
            rows=[_plain(asdict(row)) for row in found.rows],
            points=[
                {
                    "producer": rating.producer.name,
                    "rating": rating.rating,
                    "ci_low": rating.ci_low,
                    "ci_high": rating.ci_high,
                    "axes": dict(zip(AXES, map(float, row), strict=True)),
                    "hpa": float(row @ found.line.weights),
                }
                for rating, row in zip(joined, scores, strict=True)
            ],
            drift=_drift(board, joined, scored),
            foretelling=_foretelling(benchmark, board, refit, networks_digest),
            producers=found.producers,
            is_enough=found.is_enough,
            condition=found.condition if math.isfinite(found.condition) else None,
        )


def choose(calibration: Calibration) -> None:
    """Use these weights on the benchmark's board from now on."""
    with transaction.atomic():
        others = Calibration.objects.filter(benchmark=calibration.benchmark_id, board=calibration.board)
        others.update(is_chosen=False)
        Calibration.objects.filter(pk=calibration.pk).update(is_chosen=True)
    calibration.is_chosen = True


def _drift(board: str, joined: list[Rating], scored: dict[uuid.UUID, Scored]) -> list[dict[str, Any]]:
    """Pearson's correlation of each axis with the ratings, slice by slice, the sign turned so that higher is better."""
    from evaluation.calibration import correlations

    told = {rating.producer_id: rating.rating for rating in joined}
    rows: list[dict[str, Any]] = []
    for (dimension, name, axis), values in slice_scores([one.run for one in scored.values()], board).items():
        both = [producer for producer in values if producer in told]
        if len(both) < LEAST_IN_A_SLICE:
            continue
        sign = 1 if axis == "s_gen" else -1
        ours = sign * np.array([values[producer] for producer in both])
        pearson = float(correlations(ours, np.array([told[producer] for producer in both], float))[0])
        rows.append({"dimension": dimension, "slice": name, "axis": axis, "pearson": pearson, "producers": len(both)})
    return [_plain(row) for row in rows]


def _foretelling(benchmark: Benchmark, board: str, refit: Refit, networks_digest: str) -> dict[str, Any] | None:
    """Whether S_vis and S_gen of single layers foretell the votes of the board; ``None`` without scored layers."""
    from evaluation.calibration_pairs import foretell

    excluded = {one["annotator"] for one in refit.excluded}
    votes = list(vote_differences(refit.project, benchmark, board, networks_digest, excluded))
    if not votes:
        return None
    columns = ([str(vote.image) for vote in votes], [str(vote.pair) for vote in votes])
    photo, pair = (np.unique(column, return_inverse=True)[1] for column in columns)
    outcomes, annotators = (np.array([getattr(vote, name) for vote in votes]) for name in ("outcome", "annotator"))
    found = foretell(np.array([vote.apart for vote in votes]), outcomes, photo, pair, annotators)
    return None if found is None else {"axes": SINGLE_AXES, **_plain(asdict(found))}


def _plain(value: Any) -> Any:
    """For JSON, which knows no NaN."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
