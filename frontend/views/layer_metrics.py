"""What metrics say of one layer, for its history."""

from __future__ import annotations

from typing import Any

from evaluation.metrics.explained import EXPLAINED
from evaluation.models import Answer, MetricScore
from evaluation.selectors.benchmarks import WORSE
from frontend.views.figures import UNKNOWN


def layer_metrics(scores: list[MetricScore], answers: list[Answer]) -> list[dict[str, Any]]:
    """Rows of the history page: what was measured of a layer, or where it was the truth, each metric explained."""
    rows = [
        {
            "who": score.run.producer.name,
            "benchmark": score.run.benchmark,
            "metric": EXPLAINED.get(score.metric),
            "value": UNKNOWN if score.value is None else f"{score.value:.4g}",
            "is_offline": score.run.is_offline,
        }
        for score in scores
        if score.metric in EXPLAINED
    ]
    for answer in answers:
        for metric in WORSE:
            value = answer.values.get(metric)
            if value is not None:
                rows.append(
                    {
                        "who": answer.run.producer.name,
                        "benchmark": answer.run.benchmark,
                        "metric": EXPLAINED[metric],
                        "value": f"{value:.4g}",
                        "is_offline": answer.run.is_offline,
                    }
                )
    return rows
