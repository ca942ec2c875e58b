"""A person who errs at a known rate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

LEAST_ERROR, MOST_ERROR = 0.02, 0.20


@dataclass(slots=True)
class Simulated:
    """Says the opposite of the truth with chance ``error_rate``, independently each time a layer is shown.

    The same seed says the same of the same layers, in whatever order they are served.
    """

    name: str
    error_rate: float
    seed: int
    asked: Counter[str] = field(default_factory=Counter)

    def says(self, layer: str, is_acceptable: bool) -> tuple[str, int]:
        """The decision, and the active milliseconds it took (log-normal, median four seconds)."""
        self.asked[layer] += 1
        rng = Random(f"{self.seed}/{self.name}/{layer}/{self.asked[layer]}")
        is_accepted = is_acceptable ^ (rng.random() < self.error_rate)
        return ("accept" if is_accepted else "reject"), round(rng.lognormvariate(8.3, 0.5))


def crowd(size: int, seed: int, error_rate: float | None = None) -> list[Simulated]:
    """So many people; without a common error rate theirs lie evenly between 2 and 20 %."""
    step = (MOST_ERROR - LEAST_ERROR) / max(size - 1, 1)
    rates = [round(LEAST_ERROR + step * n, 4) if error_rate is None else error_rate for n in range(size)]
    return [Simulated(f"simulated-{number}", rate, seed) for number, rate in enumerate(rates, 1)]
