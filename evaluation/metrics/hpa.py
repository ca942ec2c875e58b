"""HPA, the human preference aligned score of a producer on one board (paper, section 6; higher is better).

Every axis is brought to 0..1 between stated bounds, which never move, then averaged: with weights of a third each, as
the authors write, or with calibrated ones. Values are not clipped: worse than the bad end is below 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AXES = ("s_vis", "s_gen", "s_fid")
EQUAL: Mapping[str, float] = dict.fromkeys(AXES, 1 / 3)


class WrongBounds(ValueError):
    """``code`` says why scores and bounds (or weights) do not belong together."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Axis:
    """The values that become 1 and 0. Lower is better where ``good < bad``."""

    good: float
    bad: float

    def normalise(self, value: float) -> float:
        return (value - self.bad) / (self.good - self.bad)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Fixed ends of the three axes for one board of one benchmark. ``version`` names them wherever HPA is shown."""

    version: str
    board: str
    benchmark: str
    s_vis: Axis
    s_gen: Axis
    s_fid: Axis
    networks: Mapping[str, str] = field(default_factory=dict)
    """Axis to the weights digest of the network it was measured with; empty where nobody knows."""
    source: str = ""

    def __post_init__(self) -> None:
        for name in AXES:
            axis = self.axis(name)
            if not (math.isfinite(axis.good) and math.isfinite(axis.bad)) or axis.good == axis.bad:
                raise WrongBounds("bad_bounds", f"{self.version}: {name} needs two different finite ends, got {axis}")

    def axis(self, name: str) -> Axis:
        found: Axis = getattr(self, name)
        return found

    def as_json(self) -> dict[str, Any]:
        axes = {name: {"good": self.axis(name).good, "bad": self.axis(name).bad} for name in AXES}
        about = {"version": self.version, "board": self.board, "benchmark": self.benchmark, "source": self.source}
        return {**about, "axes": axes, "networks": dict(self.networks)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Bounds:
        """Raises ``WrongBounds`` for anything that ``as_json`` would not have written."""
        try:
            ends = data["axes"]
            vis, gen, fid = (Axis(float(ends[name]["good"]), float(ends[name]["bad"])) for name in AXES)
            version, board, benchmark, source = (str(data[k]) for k in ("version", "board", "benchmark", "source"))
            networks = {str(axis): str(digest) for axis, digest in data["networks"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WrongBounds("bad_bounds", f"these are no bounds: {error!r}") from error
        return cls(version, board, benchmark, vis, gen, fid, networks, source)


RECOVERED = "fitted (least largest error) to the paper's table of main results; its authors do not print their bounds"
PAPER_FOREGROUND = Bounds(
    "paper-foreground-1",
    "foreground",
    "RefLade test",
    Axis(0, 0.2554),
    Axis(1, 0.1601),
    Axis(0, 65.48),
    source=RECOVERED,
)
PAPER_BACKGROUND = Bounds(
    "paper-background-1",
    "background",
    "RefLade test",
    Axis(0, 0.23892),
    Axis(1, 0.51938),
    Axis(0, 40.017),
    source=RECOVERED,
)


@dataclass(frozen=True, slots=True)
class Hpa:
    """``value`` is ``None`` when an axis is undefined, never a mean of the others; ``reason`` names the axis."""

    value: float | None
    axes: Mapping[str, float | None]
    """Each axis brought to its bounds."""
    weights: Mapping[str, float]
    bounds: Bounds
    reason: str = ""
    low: float | None = None
    high: float | None = None
    """95 % interval over photographs, where whoever has the samples made one."""
    without: tuple[float, ...] = ()
    """HPA without each group of photographs: what the interval was made of, and differences between producers are."""


def hpa(
    scores: Mapping[str, float | None],
    bounds: Bounds,
    weights: Mapping[str, float] = EQUAL,
    networks: Mapping[str, str] | None = None,
) -> Hpa:
    """HPA of one producer's ``s_vis``, ``s_gen`` and ``s_fid``.

    ``networks`` maps axes to the digests of the networks that made the scores. Raises ``WrongBounds``:
    ``other_networks`` where these are not the bounds' own, ``bad_weights`` where weights are negative or do not add up
    to 1.
    """
    if set(weights) != set(AXES) or min(weights.values()) < 0 or abs(sum(weights.values()) - 1) > 1e-6:
        raise WrongBounds("bad_weights", f"weights must be at least 0 and add up to 1, got {dict(weights)}")
    if networks is not None and bounds.networks and dict(networks) != dict(bounds.networks):
        raise WrongBounds("other_networks", f"bounds {bounds.version} were made with other networks than the scores")
    axes: dict[str, float | None] = {}
    for name in AXES:
        value = scores.get(name)
        axes[name] = bounds.axis(name).normalise(value) if value is not None and math.isfinite(value) else None
    known = {name: value for name, value in axes.items() if value is not None}
    if len(known) < len(AXES):
        lost = ", ".join(name for name in AXES if name not in known)
        return Hpa(None, axes, dict(weights), bounds, f"{lost} undefined")
    return Hpa(sum(weights[name] * value for name, value in known.items()), axes, dict(weights), bounds)
