"""Small charts as geometry for server-side SVG; a template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 172
LEFT, TOP, BOTTOM = 30, 8, 24


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    middle: float
    value: int
    label: str
    has_label: bool


@dataclass(frozen=True)
class Tick:
    y: float
    value: int


@dataclass(frozen=True)
class BarChart:
    width: int
    height: int
    left: int
    bars: list[Bar]
    ticks: list[Tick]


def bar_chart(values: Sequence[int], labels: Sequence[str], *, label_every: int = 1) -> BarChart:
    """Bars from zero, with about four round grid lines; every n-th bar from the last one back has its label."""
    step = nice_step(max(values, default=0))
    top = step * max(1, -(-max(values, default=0) // step))
    floor = HEIGHT - BOTTOM
    scale = (floor - TOP) / top
    slot = (WIDTH - LEFT) / max(1, len(values))
    bars = [
        Bar(
            x=round(LEFT + slot * (index + 0.18), 2),
            y=round(floor - value * scale, 2),
            width=round(slot * 0.64, 2),
            height=round(value * scale, 2),
            middle=round(LEFT + slot * (index + 0.5), 2),
            value=value,
            label=label,
            has_label=(len(values) - 1 - index) % label_every == 0,
        )
        for index, (value, label) in enumerate(zip(values, labels, strict=True))
    ]
    ticks = [Tick(round(floor - value * scale, 2), value) for value in range(0, top + 1, step)]
    return BarChart(WIDTH, HEIGHT, LEFT, bars, ticks)


def nice_step(highest: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that needs at most four steps to reach ``highest``."""
    factor = 1
    while True:
        for lead in (1, 2, 5):
            if highest <= 4 * lead * factor:
                return lead * factor
        factor *= 10
