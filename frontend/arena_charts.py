"""Geometry of the arena's pictures: whiskers, the win matrix, a metric against ratings; templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from frontend.charts import nice_step

SCATTER_WIDTH, SCATTER_HEIGHT = 560, 352
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 10, 40
CELL, NAMES = 44, 180
MOST_TICKS = 5
"""More of them would stand in each other in the narrow column of a table."""
LABEL_PX = 6.2
"""About the width of a letter of a label."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to percent of the width."""

    low: float
    high: float

    def at(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 2)


@dataclass(frozen=True, slots=True)
class Whisker:
    """In percent of the width. ``ticks``: (place, value)."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Cell:
    """``share`` of votes the row won, 0..1, or ``None`` without votes; ``strength`` is how far from even, 0..1."""

    x: int
    y: int
    share: float | None
    votes: int
    strength: float

    @property
    def percent(self) -> str:
        return "" if self.share is None else f"{100 * self.share:.0f}"

    @property
    def opacity(self) -> str:
        return f"{0.08 + 0.62 * self.strength:.2f}"

    @property
    def is_ahead(self) -> bool:
        return self.share is not None and self.share > 0.5


@dataclass(frozen=True, slots=True)
class Matrix:
    names: list[str]
    rows: list[list[Cell]]
    width: int
    height: int
    left: int = NAMES
    cell: int = CELL

    @property
    def labels(self) -> list[tuple[str, int, int]]:
        """(number, middle of the column, middle of the row)."""
        half = self.cell // 2
        return [
            (str(at + 1), self.left + at * self.cell + half, self.cell + at * self.cell + half)
            for at in range(len(self.names))
        ]


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    low_y: float
    high_y: float
    label: str
    label_x: float
    label_y: float
    anchor: str
    value: float
    rating: float


@dataclass(frozen=True, slots=True)
class Scatter:
    dots: list[Dot]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    line: tuple[float, float, float, float] | None
    width: int = SCATTER_WIDTH
    height: int = SCATTER_HEIGHT
    left: int = LEFT
    right: int = SCATTER_WIDTH - RIGHT
    top: int = TOP
    floor: int = SCATTER_HEIGHT - BOTTOM


def rating_scale(bounds: Sequence[float]) -> tuple[Scale, list[tuple[float, int]]]:
    """A scale that holds all bounds with a little room, and round ticks on it: (percent, rating)."""
    low, high = min(bounds), max(bounds)
    step = max(nice_step(round(high - low)), 10)
    low, high = step * (low // step), step * -(-high // step)
    scale = Scale(low - step / 4, high + step / 4)
    ticks = [(scale.at(tick), int(tick)) for tick in range(int(low), int(high) + 1, step)]
    return scale, ticks[::2] if len(ticks) > MOST_TICKS else ticks


def value_scale(bounds: Sequence[float]) -> tuple[Scale, list[tuple[float, str]]]:
    """The same for scores: (percent, value as text)."""
    low, high = min(bounds), max(bounds)
    room = max(0.1 * (high - low), 0.02)
    scale = Scale(low - room, high + room)
    return scale, [(scale.at(value), f"{value:g}") for value in _round_values(scale.low, scale.high)]


def whisker(scale: Scale, low: float, middle: float, high: float) -> Whisker:
    return Whisker(scale.at(low), scale.at(middle), scale.at(high))


def win_matrix(names: Sequence[str], won: Sequence[Sequence[float]], votes: Sequence[Sequence[int]]) -> Matrix:
    """Row against column, in the order given."""
    rows = []
    for row in range(len(names)):
        cells = []
        for column in range(len(names)):
            asked = votes[row][column] if row != column else 0
            share = won[row][column] / asked if asked else None
            strength = min(1.0, 2 * abs(share - 0.5)) if share is not None else 0.0
            cells.append(Cell(NAMES + column * CELL, CELL + row * CELL, share, asked, strength))
        rows.append(cells)
    return Matrix(list(names), rows, NAMES + len(names) * CELL + 4, CELL + len(names) * CELL + 4)


def scatter(points: Sequence[dict[str, Any]]) -> Scatter:
    """``points``: {producer, value, rating, ci_low, ci_high}. Labels stand where they hide no other label or dot."""
    values, bounds = [point["value"] for point in points], [p[end] for p in points for end in ("ci_low", "ci_high")]
    x_low, x_high = min(values), max(values)
    room = (x_high - x_low) * 0.12 or 0.1
    x_low, x_high = x_low - room, x_high + room
    ratings, y_ticks = rating_scale(bounds)
    floor = SCATTER_HEIGHT - BOTTOM

    def x_of(value: float) -> float:
        return round(LEFT + (value - x_low) / (x_high - x_low) * (SCATTER_WIDTH - LEFT - RIGHT), 1)

    def y_of(rating: float) -> float:
        return round(floor - ratings.at(rating) / 100 * (floor - TOP), 1)

    taken = [(x_of(p["value"]) - 6, y_of(p["rating"]) - 6, x_of(p["value"]) + 6, y_of(p["rating"]) + 6) for p in points]
    dots = []
    for point in points:
        x, y = x_of(point["value"]), y_of(point["rating"])
        label_x, label_y, anchor, box = _free_place(x, y, LABEL_PX * len(point["producer"]), taken)
        taken.append(box)
        dots.append(
            Dot(
                x,
                y,
                y_of(point["ci_low"]),
                y_of(point["ci_high"]),
                point["producer"],
                label_x,
                label_y,
                anchor,
                point["value"],
                point["rating"],
            )
        )
    x_ticks = [(x_of(value), f"{value:.2f}") for value in _round_values(x_low, x_high)]
    return Scatter(dots, x_ticks, [(y_of(tick), str(tick)) for _, tick in y_ticks], _trend(dots))


def _free_place(
    x: float, y: float, width: float, taken: Sequence[tuple[float, float, float, float]]
) -> tuple[float, float, str, tuple[float, float, float, float]]:
    tries = [
        (x + 9, y + 4, "start", x + 9),
        (x - 9, y + 4, "end", x - 9 - width),
        (x + 8, y + 17, "start", x + 8),
        (x - 8, y - 9, "end", x - 8 - width),
        (x - 8, y + 17, "end", x - 8 - width),
        (x + 8, y - 9, "start", x + 8),
    ]
    boxes = [(left, top - 10, left + width, top + 3) for _, top, _, left in tries]
    for (label_x, label_y, anchor, _), box in zip(tries, boxes, strict=True):
        inside = box[0] > LEFT and box[2] < SCATTER_WIDTH
        free = not any(box[0] < b[2] and box[2] > b[0] and box[1] < b[3] and box[3] > b[1] for b in taken)
        if inside and free:
            return label_x, label_y, anchor, box
    label_x, label_y, anchor, _ = tries[0]
    return label_x, label_y, anchor, boxes[0]


def _round_values(low: float, high: float) -> list[float]:
    step = nice_step(max(1, round((high - low) * 100))) / 100
    first = -(-low // step)
    return [round((first + number) * step, 4) for number in range(int((high - first * step) / step) + 1)]


def _trend(dots: Sequence[Dot]) -> tuple[float, float, float, float] | None:
    """The least-squares line through the dots, from the first to the last of them; ``None`` where it has no slope."""
    count, mean_x, mean_y = len(dots), sum(dot.x for dot in dots) / len(dots), sum(dot.y for dot in dots) / len(dots)
    spread = sum((dot.x - mean_x) ** 2 for dot in dots)
    if count < 3 or not spread:
        return None
    slope = sum((dot.x - mean_x) * (dot.y - mean_y) for dot in dots) / spread
    ends = [min(dot.x for dot in dots), max(dot.x for dot in dots)]
    first, last = (round(mean_y + slope * (x - mean_x), 1) for x in ends)
    return ends[0], first, ends[1], last
