"""The benchmark of the shipped checkpoint as Markdown, with the shipping gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evaluation.intervals import Interval, clustered_difference

if TYPE_CHECKING:
    from evaluation.reflayer_tiny import Result
    from evaluation.tiny_scores import Score

OURS = "reflayer-tiny"
NAMES = {
    OURS: "**reflayer-tiny**",
    "grabcut": "GrabCut, Telea",
    "cpu": "recipe `cpu`",
    "box": "filled box",
    "mask": "visible mask, Telea",
    "hull": "its convex hull",
}
BACKGROUNDS = {
    "masks_given": "**reflayer-tiny**, masks given",
    "telea": "Telea, masks given",
    "cpu": "recipe `cpu`, masks given",
    "no_prompt": "**reflayer-tiny**, nothing given",
    "nothing": "source as it is",
}
BANDS: tuple[tuple[str, float, float], ...] = (
    ("all", 0.0, 1.01),
    ("under 5 %", 0.0, 0.05),
    ("5 to 25 %", 0.05, 0.25),
    ("25 to 45 %", 0.25, 0.45),
    ("45 % and more", 0.45, 1.01),
)
OCCLUDED_FROM = 0.05
Value = Callable[["Score"], "float | None"]


@dataclass(frozen=True, slots=True)
class Gate:
    """One line of the shipping gate. Gains over a baseline also need an interval above zero."""

    name: str
    value: str
    wanted: str
    holds: bool


def markdown(result: Result) -> str:
    options = result.options
    count = len({s.seed for s in result.layers})
    lines = [
        f"Set `{result.name}`: {count} composites at 128 px, seeds from {options.seed}.",
        "",
        "| prompt | method | visible IoU | amodal IoU | alpha MAE | hidden recall | visible colour | hidden colour |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(s.kind for s in result.layers):
        for method in NAMES:
            if chosen := _of(result, kind, method):
                lines.append(f"| {kind} | {NAMES[method]} | {_row(chosen)} |")
    lines += ["", "Amodal IoU by share hidden:", "", "| hidden | n | " + " | ".join(_pairs(result)) + " |"]
    lines.append("|---" * (2 + len(_pairs(result))) + "|")
    for band, low, high in BANDS:
        cells = []
        for kind, method in _pairs(result).values():
            chosen = [s for s in _of(result, kind, method) if low <= s.occlusion < high]
            cells.append(_mean([s.amodal_iou for s in chosen]))
        lines.append(f"| {band} | {len(chosen)} | " + " | ".join(cells) + " |")
    lines += ["", "| background | hole error |", "|---|---|"]
    for method, name in BACKGROUNDS.items():
        lines.append(f"| {name} | {_mean([b.hole_error for b in result.backgrounds if b.method == method], 4)} |")
    lines += ["", "| gate | value | wanted | |", "|---|---|---|---|"]
    lines += [f"| {g.name} | {g.value} | {g.wanted} | {'holds' if g.holds else 'FAILS'} |" for g in gates(result)]
    return "\n".join(lines)


def gates(result: Result) -> list[Gate]:
    """The shipping gate of the checkpoint, line by line."""

    def mean(
        kind: str, value: Callable[[Score], float | None], among: Callable[[Score], bool] = lambda s: True
    ) -> float:
        return float(np.mean([v for s in _of(result, kind, OURS) if among(s) and (v := value(s)) is not None]))

    def at_least(name: str, found: float, wanted: float) -> Gate:
        return Gate(name, f"{found:.3f}", f"at least {wanted}", found >= wanted)

    def above(name: str, kind: str, other: str, value: Value, margin: float) -> Gate:
        gain = paired(result, kind, other, value)
        wanted = f"at least {margin:+g}, interval above 0"
        return Gate(name, show(gain), wanted, gain.estimate >= margin and gain.low > 0)

    def no_worse(name: str, kind: str, other: str, value: Value, margin: float = 0.0) -> Gate:
        loss = paired(result, kind, other, value)
        # Two that are equal differ by chance; worse is what the interval says is worse.
        wanted = f"at most {margin:+g}, by the interval's better end"
        return Gate(name, show(loss), wanted, loss.low <= margin)

    def occluded(s: Score) -> float | None:
        return s.amodal_iou if s.occlusion >= OCCLUDED_FROM else None

    def recall(s: Score) -> float | None:
        return s.hidden_recall if s.occlusion >= OCCLUDED_FROM else None

    backgrounds = {
        method: [b.hole_error for b in result.backgrounds if b.method == method] for method in ("masks_given", "telea")
    }
    ratio = float(np.mean(backgrounds["masks_given"]) / np.mean(backgrounds["telea"]))
    return [
        at_least("box, amodal IoU", mean("box", lambda s: s.amodal_iou), 0.78),
        above("box, amodal IoU minus GrabCut", "box", "grabcut", lambda s: s.amodal_iou, 0.03),
        no_worse("box, alpha MAE minus GrabCut", "box", "grabcut", lambda s: s.mae, 0.002),
        at_least("point, amodal IoU", mean("point", lambda s: s.amodal_iou), 0.66),
        above("point, amodal IoU minus GrabCut", "point", "grabcut", lambda s: s.amodal_iou, 0.08),
        at_least("mask, visible IoU", mean("mask", lambda s: s.visible_iou), 0.95),
        above("mask, occluded, amodal IoU minus visible mask", "mask", "mask", occluded, 0.05),
        at_least("mask, hidden recall", mean("mask", recall), 0.25),
        no_worse("box, visible colour minus GrabCut", "box", "grabcut", lambda s: s.visible_colour),
        no_worse("point, visible colour minus GrabCut", "point", "grabcut", lambda s: s.visible_colour),
        no_worse("mask, hidden colour minus Telea", "mask", "mask", lambda s: s.hidden_colour),
        Gate("background, masks given, ratio to Telea", f"{ratio:.3f}", "at most 1.05", ratio <= 1.05),
    ]


def paired(result: Result, kind: str, other: str, value: Value) -> Interval:
    """Ours minus another method on the same composites."""
    theirs = {s.seed: value(s) for s in _of(result, kind, other)}
    rows = [(value(s), theirs[s.seed], s.seed) for s in _of(result, kind, OURS)]
    kept = [(a, b, seed) for a, b, seed in rows if a is not None and b is not None]
    return clustered_difference([a for a, _, _ in kept], [b for _, b, _ in kept], [seed for _, _, seed in kept])[0]


def show(interval: Interval) -> str:
    return f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _pairs(result: Result) -> dict[str, tuple[str, str]]:
    """Columns of the table by occlusion: ours and the strongest plain methods per kind."""
    columns = {
        "point": ("point", OURS),
        "point, GrabCut": ("point", "grabcut"),
        "box": ("box", OURS),
        "box, GrabCut": ("box", "grabcut"),
        "box, `cpu`": ("box", "cpu"),
        "mask": ("mask", OURS),
        "visible mask": ("mask", "mask"),
        "its hull": ("mask", "hull"),
    }
    return {name: pair for name, pair in columns.items() if _of(result, *pair)}


def _of(result: Result, kind: str, method: str) -> list[Score]:
    return [s for s in result.layers if s.kind == kind and s.method == method]


def _row(scores: Sequence[Score]) -> str:
    cells = [
        _mean([s.visible_iou for s in scores]),
        _mean([s.amodal_iou for s in scores]),
        _mean([s.mae for s in scores], 4),
        _mean([s.hidden_recall for s in scores if s.occlusion >= OCCLUDED_FROM]),
        _mean([s.visible_colour for s in scores], 4),
        _mean([s.hidden_colour for s in scores], 4),
    ]
    return " | ".join(cells)


def _mean(values: Sequence[float | None], digits: int = 3) -> str:
    known = [v for v in values if v is not None]
    return f"{np.mean(known):.{digits}f}" if known else "-"
