"""The composite benchmark as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evaluation.intervals import Interval, clustered_difference

if TYPE_CHECKING:
    from evaluation.composites import LayerScore, Result

NAMES = {"engine": "recipe `{recipe}`", "grabcut": "GrabCut alone", "box": "filled box"}
BANDS: tuple[tuple[str, float, float], ...] = (
    ("all", 0.0, 1.01),
    ("none", 0.0, 1e-9),
    ("under 20 %", 1e-9, 0.2),
    ("20 to 40 %", 0.2, 0.4),
    ("40 % and more", 0.4, 1.01),
)
"""Share of the object hidden: name, from, to (exclusive)."""


def markdown(result: Result) -> str:
    """Three tables: alpha per occlusion band, background, and paired differences to the baselines."""
    options = result.options
    names = {key: name.format(recipe=options.recipe) for key, name in NAMES.items()}
    ours = [score for score in result.layers if score.method == "engine"]
    reasons = Counter(score.drop_reason for score in ours if score.drop_reason)
    dropped = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "none"
    boxes = "boxes of the whole layers" if options.boxes == "amodal" else "boxes of the visible parts"
    source = "given folders" if options.photos or options.objects else "packages' photographs and drawn objects"
    lines = [
        f"{options.count} composites at {options.size} px (seeds {options.seed} to {options.seed + options.count - 1}, "
        f"{source}), {len(ours)} layers, true {boxes} given. Dropped by the engine and counted as empty: "
        f"{dropped}. Largest visible-pixel error where alpha is 1: {max(s.visible_error for s in ours)} of 255.",
        "",
        f"Each cell: {' / '.join(names.values())}.",
        "",
        "| hidden | layers | alpha IoU | alpha MAE | hidden recall |",
        "|---|---|---|---|---|",
    ]
    for band, low, high in BANDS:
        chosen = [[s for s in _of(result, key) if low <= s.occlusion < high] for key in names]
        ious = " / ".join(f"{_mean([s.iou for s in scores]):.3f}" for scores in chosen)
        maes = " / ".join(f"{_mean([s.mae for s in scores]):.4f}" for scores in chosen)
        found = [[s.hidden_recall for s in scores if s.hidden_recall is not None] for scores in chosen]
        recalls = " / ".join(f"{_mean(values):.3f}" for values in found) if found[0] else "-"
        lines.append(f"| {band} | {len(chosen[0])} | {ious} | {maes} | {recalls} |")
    lines += ["", "| background | hole error |", "|---|---|"]
    for key, name in names.items():
        fill = name if key == "engine" else f"{name}, Telea"
        lines.append(f"| {fill} | {_mean([s.hole_error for s in result.scenes if s.method == key]):.4f} |")
    lines += ["", "| alpha MAE, paired | difference (95 %) | relative (95 %) |", "|---|---|---|"]
    for key in ("grabcut", "box"):
        difference, relative = _difference(ours, _of(result, key), options.seed)
        lines.append(
            f"| {names['engine']} minus {names[key]} | {_show(difference, 1, 4)} | {_show(relative, 100, 1)} % |"
        )
    return "\n".join(lines)


def _of(result: Result, method: str) -> list[LayerScore]:
    return [score for score in result.layers if score.method == method]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _difference(ours: list[LayerScore], theirs: list[LayerScore], seed: int) -> tuple[Interval, Interval]:
    return clustered_difference([s.mae for s in ours], [s.mae for s in theirs], [s.seed for s in ours], seed)


def _show(interval: Interval, factor: float, digits: int) -> str:
    values = (interval.estimate, interval.low, interval.high)
    estimate, low, high = (f"{factor * value:+.{digits}f}" for value in values)
    return f"{estimate} [{low}, {high}]"
