"""What a metric answers: a number with its interval, how many samples made it, and every choice behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from evaluation.intervals import clustered_mean
from evaluation.metrics.pairs import LayerPair

Better = Literal["lower", "higher"]
Choices = dict[str, Any]
"""JSON values: network, weights, resize, canvas, mask rule, ..."""


@dataclass(frozen=True, slots=True)
class Undefined:
    """Why one sample has no value: ``nothing_visible``, ``hardly_hidden``, ..."""

    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """One metric over many samples. ``value`` is ``None`` when it is undefined, and ``reason`` then says why."""

    metric: str
    value: float | None
    better: Better
    n: int
    """Samples that made the value."""
    low: float | None = None
    high: float | None = None
    """95 % interval; ``None`` where there are too few samples for one."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason to count of samples for which the metric is undefined."""
    reason: str = ""
    variant: str = ""
    """``published`` or ``offline``, after the network that made it; empty where there is none."""
    choices: Choices = field(default_factory=dict)


Row = dict[str, float | Undefined]
"""Column to value, of one sample."""


class PerSample(ABC):
    """A metric that is the mean of a value per sample: ``reset``, ``update`` with pairs, ``compute``."""

    columns: ClassVar[Mapping[str, Better]]

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._clusters: dict[str, str] = {}

    @property
    @abstractmethod
    def choices(self) -> Choices: ...

    @property
    def variant(self) -> str:
        """Of the network; metrics without one leave it empty."""
        return ""

    @abstractmethod
    def measure(self, pairs: Sequence[LayerPair]) -> Sequence[Row]:
        """One row per pair, in their order."""

    def reset(self) -> None:
        self.rows, self._clusters = {}, {}

    def update(self, pairs: Sequence[LayerPair]) -> None:
        """Raises ``ValueError`` for a name that was seen before: it would count twice."""
        require_new_names(pairs, self.rows)
        for pair, row in zip(pairs, self.measure(pairs), strict=True):
            self.rows[pair.name] = row
            self._clusters[pair.name] = pair.cluster

    def compute(self, names: Collection[str] | None = None) -> dict[str, Result]:
        """One result per column, over all samples or those named."""
        chosen = [name for name in self.rows if names is None or name in names]
        return {column: self._result(column, chosen) for column in self.columns}

    def mean(self, column: str, names: Collection[str]) -> float | None:
        """Over those of the named samples that have a value; ``None`` where none has."""
        values = [value for name in names if not isinstance(value := self.rows[name][column], Undefined)]
        return sum(values) / len(values) if values else None

    def _result(self, column: str, names: Sequence[str]) -> Result:
        values: list[float] = []
        clusters: list[str] = []
        left_out: Counter[str] = Counter()
        for name in names:
            value = self.rows[name][column]
            if isinstance(value, Undefined):
                left_out[value.reason] += 1
            else:
                values.append(value)
                clusters.append(self._clusters[name])
        about: dict[str, Any] = {"left_out": dict(left_out), "variant": self.variant, "choices": self.choices}
        better = self.columns[column]
        if not values:
            reason = "no_samples" if not names else "every_sample_left_out"
            return Result(column, None, better, 0, reason=reason, **about)
        interval = clustered_mean(values, clusters)
        low, high = (None, None) if len(set(clusters)) < 2 else (interval.low, interval.high)
        return Result(column, interval.estimate, better, len(values), low, high, **about)


def require_new_names(pairs: Sequence[LayerPair], seen: Collection[str]) -> None:
    names = [pair.name for pair in pairs]
    again = [name for name, count in Counter(names).items() if count > 1 or name in seen]
    if again:
        raise ValueError(f"scored already: {', '.join(sorted(again))}")
