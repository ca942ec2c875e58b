"""Geometry of the dashboard's small pictures: Pareto bars, sparklines, intervals; templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.agreement import Estimate
from frontend.charts import Tick, nice_step

WIDTH, HEIGHT = 460, 236
LEFT, RIGHT, TOP, BOTTOM = 34, 40, 10, 40
SPARK_WIDTH, SPARK_HEIGHT = 84, 22
VITAL_SHARE = 0.8
GOLD_WIDTH, GOLD_FROM, GOLD_LOW = 150, 0.5, 0.9
"""An interval's picture spans 50 to 100 %; people who are surely below 90 % are marked."""


@dataclass(frozen=True, slots=True)
class ParetoBar:
    """``share`` is cumulative; ``is_vital`` marks the few that make the first 80 %. ``words`` are the label's lines."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    line_y: float
    value: int
    share: float
    label: str
    words: list[str]
    is_vital: bool


@dataclass(frozen=True, slots=True)
class Pareto:
    width: int
    height: int
    left: int
    right: int
    floor: int
    bars: list[ParetoBar]
    ticks: list[Tick]
    shares: list[Tick]
    line: str


def pareto(counts: Sequence[tuple[str, int]]) -> Pareto:
    """Bars in the given order, which is the most frequent first, and the line of the cumulative share."""
    total = sum(count for _, count in counts)
    highest = max((count for _, count in counts), default=0)
    step = nice_step(highest)
    top = step * max(1, -(-highest // step))
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    slot = (right - LEFT) / max(1, len(counts))
    bars, passed = [], 0
    for number, (label, count) in enumerate(counts):
        is_vital = passed < VITAL_SHARE * total
        passed += count
        height = (floor - TOP) * count / top
        bars.append(
            ParetoBar(
                x=round(LEFT + slot * (number + 0.16), 2),
                y=round(floor - height, 2),
                width=round(slot * 0.68, 2),
                height=round(height, 2),
                middle=round(LEFT + slot * (number + 0.5), 2),
                line_y=round(floor - (floor - TOP) * passed / total, 2) if total else floor,
                value=count,
                share=passed / total if total else 0.0,
                label=label,
                words=label.split(" ", 1),
                is_vital=is_vital,
            )
        )
    ticks = [Tick(round(floor - (floor - TOP) * value / top, 2), value) for value in range(0, top + 1, step)]
    shares = [Tick(round(floor - (floor - TOP) * share / 100, 2), share) for share in (0, 50, 80, 100)]
    line = " ".join(f"{bar.middle},{bar.line_y}" for bar in bars)
    return Pareto(WIDTH, HEIGHT, LEFT, right, floor, bars, ticks, shares, line)


def spark(values: Sequence[int]) -> str:
    """Points of a polyline in a box of ``SPARK_WIDTH`` x ``SPARK_HEIGHT``, from zero; empty for fewer than two."""
    if len(values) < 2:
        return ""
    highest = max(1, *values)
    across = (SPARK_WIDTH - 4) / (len(values) - 1)
    return " ".join(
        f"{2 + number * across:.1f},{SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * value / highest:.1f}"
        for number, value in enumerate(values)
    )


@dataclass(frozen=True, slots=True)
class Interval:
    """A share as a dot on its 95 % interval, within ``GOLD_WIDTH``."""

    low: float
    high: float
    middle: float
    limit: float
    is_low: bool
    right: int
    of: int
    text: str


def interval(share: Estimate) -> Interval:
    def across(value: float) -> float:
        return round(4 + (GOLD_WIDTH - 8) * (max(GOLD_FROM, value) - GOLD_FROM) / (1 - GOLD_FROM), 1)

    text = f"{100 * share.value:.0f} %, {100 * share.low:.0f} to {100 * share.high:.0f} %"
    ends = (across(share.low), across(share.high), across(share.value), across(GOLD_LOW))
    return Interval(*ends, share.high < GOLD_LOW, round(share.value * share.n), share.n, text)
