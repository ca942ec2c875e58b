"""Votes beside the metrics of the two layers they were about: what a metric can be asked to foretell."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from annotation.pairing import pair_id
from engine.models import Project
from evaluation.models import Benchmark, Calibration, MetricScore
from evaluation.selectors.votes import board_votes

AXES = ("s_vis", "s_gen")
"""Of single layers; fidelity exists per set only."""


@dataclass(frozen=True, slots=True)
class VoteDifference:
    """All votes of a pair are told from the same one of its layers, whatever side it was on.

    ``apart`` are its ``AXES`` minus the other's, 0 where one has none; ``outcome`` is 1 where it won, -1 where it
    lost, 0 for a tie.
    """

    image: uuid.UUID
    pair: uuid.UUID
    first: uuid.UUID
    second: uuid.UUID
    apart: tuple[float, ...]
    outcome: int
    annotator: int


def vote_differences(
    project: Project, benchmark: Benchmark, board: str, networks_digest: str, excluded: Collection[int] = ()
) -> Iterator[VoteDifference]:
    """Counted votes on two layers that these networks measured against one truth, without those of the excluded."""
    scored: dict[uuid.UUID, dict[str, float]] = {}
    truths: dict[uuid.UUID, str | None] = {}
    single = MetricScore.objects.filter(
        run__benchmark=benchmark, run__networks_digest=networks_digest, layer__project=project, board=board,
        metric__in=AXES, value__isnull=False,
    )  # fmt: skip
    rows = single.order_by("run__created_at").values_list("layer", "metric", "value", "choices__truth")
    for layer, metric, value, truth in rows:
        assert layer is not None
        assert value is not None
        scored.setdefault(layer, {})[metric] = value
        truths[layer] = truth
    for vote in board_votes(project, board):
        first, second = sorted((vote.left_layer, vote.right_layer))
        ours, theirs = scored.get(first, {}), scored.get(second, {})
        known = [axis for axis in AXES if axis in ours and axis in theirs]
        if known and truths[first] == truths[second] and vote.annotator not in excluded:
            apart = tuple(ours[axis] - theirs[axis] if axis in known else 0.0 for axis in AXES)
            outcome = vote.outcome if vote.left_layer == first else -vote.outcome
            yield VoteDifference(vote.image, pair_id(first, second), first, second, apart, outcome, vote.annotator)


DIFFERENCES = ("photo", "pair", "layer", "other", *AXES, "outcome")


def difference_rows(calibration: Calibration) -> Iterator[list[Any]]:
    """Rows of ``DIFFERENCES`` for a calibration's board and networks, by the votes and scores that there are now."""
    benchmark, excluded = calibration.benchmark, {one["annotator"] for one in calibration.refit.excluded}
    networks = calibration.networks_digest
    for vote in vote_differences(benchmark.project, benchmark, calibration.board, networks, excluded):
        yield [vote.image, vote.pair, vote.first, vote.second, *vote.apart, vote.outcome]
