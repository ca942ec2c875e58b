"""When a queue will be empty, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days from now until nothing is left; ``low`` and ``high`` are the 95 % interval, ``None`` from one day alone."""

    per_day: float
    days: float
    low: float | None
    high: float | None


def forecast(left: int, per_day: Sequence[float]) -> Forecast | None:
    """From what was done on each of the last days; days on which nothing happened belong in it.

    First passage of a renewal-reward process (Cox, Renewal Theory, 1962): with mean m and variance v of a day,
    reaching ``left`` takes left/m days with variance left*v/m^3; the delta method adds what the mean of n days does
    not know of m, (left/m)^2 * v/(n*m^2). ``None`` when nothing was done. Raises ``ValueError`` for a negative need.
    """
    if left < 0:
        raise ValueError(f"left must be 0 or more, got {left}")
    if not per_day or (rate := mean(per_day)) <= 0:
        return None
    days = left / rate
    if len(per_day) < 2:
        return Forecast(rate, days, None, None)
    spread = stdev(per_day) / rate
    error = Z_95 * spread * sqrt(days + days**2 / len(per_day))
    return Forecast(rate, days, max(0.0, days - error), days + error)
