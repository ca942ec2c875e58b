"""How a simulated crowd did, measured against the truth it was made from."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from annotation.agreement import Estimate
from annotation.selectors.quality import project_quality
from annotation.simulated import Simulated
from engine.models import Layer, LayerStatus, Project


def simulation_report(project: Project, people: Sequence[Simulated], truth: Mapping[uuid.UUID, bool]) -> dict[str, Any]:
    """Consensus accuracy over the settled layers of known truth, agreement, and gold accuracy beside the error rates.

    ``rank_correlation`` is Spearman's, between the true accuracies and those on gold; ``None`` without gold for
    three people.
    """
    settled = Layer.objects.filter(pk__in=list(truth), status__in=(LayerStatus.ACCEPTED, LayerStatus.REJECTED))
    right = [
        (status == LayerStatus.ACCEPTED) == truth[pk]
        for pk, status in settled.filter(gold_item=None).values_list("pk", "status")
    ]
    quality = project_quality(project)
    gold = {person.user.username: person.gold for person in quality.people}
    rows = [
        {"name": person.name, "error_rate": person.error_rate, "gold": _asdict(gold.get(person.name))}
        for person in people
    ]
    return {
        "settled": len(right),
        "consensus_accuracy": sum(right) / len(right) if right else None,
        "alpha": _asdict(quality.alpha),
        "raw_agreement": _asdict(quality.raw),
        "rank_correlation": _rank_correlation([(1 - p.error_rate, gold.get(p.name)) for p in people]),
        "annotators": rows,
    }


def _asdict(estimate: Estimate | None) -> dict[str, Any] | None:
    return asdict(estimate) if estimate else None


def _rank_correlation(accuracies: Sequence[tuple[float, Estimate | None]]) -> float | None:
    pairs = [(true, measured.value) for true, measured in accuracies if measured]
    if len(pairs) < 3 or len({true for true, _ in pairs}) < 2 or len({measured for _, measured in pairs}) < 2:
        return None
    from scipy.stats import spearmanr  # slow to load, and only this command needs it

    return float(spearmanr(*zip(*pairs, strict=True)).statistic)
