"""Has the score of the checkpoint in use fallen: what retraining by itself may be asked to watch."""

from __future__ import annotations

from typing import Any

from engine.models import Project
from engine.records import LayerKind
from evaluation.models import MetricScore
from training import predictors
from training.models import Checkpoint, JobStatus
from training.selectors.checkpoints import current_checkpoint


def hpa_drop(project: Project) -> float | None:
    """By how much the checkpoint in use scores lower on the newest benchmark than on the one before it, -1..1.

    Foreground HPA, by the same networks. A frozen benchmark never changes, so what the world has changed shows on a
    newer one. ``None`` where fewer than two were measured.
    """
    checkpoint = current_checkpoint(project) or Checkpoint.objects.filter(name=predictors.DEFAULT).first()
    if checkpoint is None:
        return None
    scores = MetricScore.objects.filter(
        run__benchmark__project=project,
        run__producer=checkpoint.producer_id,
        run__status=JobStatus.FINISHED,
        board=LayerKind.FOREGROUND.value,
        metric="hpa",
        dimension="",
        layer=None,
        value__isnull=False,
    ).order_by("-run__benchmark__created_at", "-run__created_at")
    rows: list[Any] = list(scores.values_list("run__benchmark", "run__networks_digest", "value")[:100])
    if not rows:
        return None
    newest, networks, value = rows[0]
    before = (old for benchmark, digest, old in rows if benchmark != newest and digest == networks)
    found = next(before, None)
    return None if found is None else float(found - value)
