"""What people accepted and rejected, as lessons for the post-filter."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.models import Layer, LayerStatus, Project
from engine.records import LayerKind
from engine.refusals import Refusal
from engine.stages.postfilter.combination import Fit, TooFewVerdicts, fit


def fit_postfilter(project: Project, recall: float = 0.95) -> Fit:
    """Fit the post-filter's combination on the settled foreground layers of a project.

    Scores are those the layers were published with. Layers that a person mended are left out: their scores are of
    another layer. Raises ``Refusal`` (``too_few_verdicts``) when there is not enough to learn from.
    """
    rows = list(
        Layer.objects.filter(
            project=project,
            kind=LayerKind.FOREGROUND.value,
            status__in=[LayerStatus.ACCEPTED, LayerStatus.REJECTED],
            author=None,
        )
        .order_by("id")
        .values_list("scores", "status", "image_id")
    )
    try:
        return fit(
            [scores for scores, _, _ in rows],
            [status == LayerStatus.ACCEPTED for _, status, _ in rows],
            [str(image) for _, _, image in rows],
            recall,
        )
    except TooFewVerdicts as error:
        raise Refusal(error.code, str(error)) from error


def write_fit(found: Fit, path: Path) -> dict[str, Any]:
    """Write the combination, with how it was judged beside it, as JSON; whole or not at all. Returns the document."""
    document = {**asdict(found.combination), "fit": {k: v for k, v in asdict(found).items() if k != "combination"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(document, indent=2, sort_keys=True))
    os.replace(new, path)
    return document
