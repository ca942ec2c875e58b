"""What a snapshot is made of, counted layer by layer."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import Any, NamedTuple

SHARE_BINS = (0.0, 0.0001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Lower ends, for hidden shares and areas; the first bin is nothing but a few pixels."""
LONG_EDGES = (0, 256, 512, 1024, 2048, 4096)
"""Lower ends in pixels."""
MOST_VALUES = 200
NAMED = ("split", "kind", "label", "producer", "licence", "prompts", "judge")
BINNED = ("hidden", "area", "long_edge")


class Facts(NamedTuple):
    """Of one layer. ``picture``: its digest; ``prompts``, ``judges``: kinds and pseudonyms, with commas between them;
    ``accepts``, ``rejects``: counted verdicts."""

    split: str
    kind: str
    label: str
    producer: str
    licence: str
    hidden_share: float
    area_share: float
    long_edge: int
    is_repair: bool
    picture: str
    prompts: str
    judges: str
    accepts: int
    rejects: int


class Composition:
    def __init__(self) -> None:
        self.counts: dict[str, Counter[Any]] = {name: Counter() for name in (*NAMED, *BINNED)}
        self.pictures: set[str] = set()
        self.accepts = self.rejects = self.repaired = 0

    def add(self, layer: Facts) -> None:
        counts = self.counts
        counts["split"][layer.split] += 1
        counts["kind"][layer.kind] += 1
        counts["label"][layer.label] += 1
        counts["producer"][layer.producer] += 1
        counts["licence"][layer.licence] += 1
        counts["hidden"][_bin(layer.hidden_share, SHARE_BINS)] += 1
        counts["area"][_bin(layer.area_share, SHARE_BINS)] += 1
        counts["long_edge"][_bin(layer.long_edge, LONG_EDGES)] += 1
        counts["prompts"].update(set(layer.prompts.split(",")))
        if layer.judges:
            counts["judge"].update(set(layer.judges.split(",")))
        self.pictures.add(layer.picture)
        self.accepts += layer.accepts
        self.rejects += layer.rejects
        self.repaired += layer.is_repair

    def to_json(self) -> dict[str, Any]:
        """``counts``: name to ``[[value, rows], ...]``, most first; bins by their lower ends, in order."""
        ordered = {}
        for name, counter in self.counts.items():
            most = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_VALUES]
            ordered[name] = [list(pair) for pair in (sorted(counter.items()) if name in BINNED else most)]
        verdicts = {"accept": self.accepts, "reject": self.rejects}
        return {
            "counts": ordered,
            "pictures": len(self.pictures),
            "labels": len(self.counts["label"]),
            "judges": len(self.counts["judge"]),
            "verdicts": {decision: count for decision, count in verdicts.items() if count},
            "repaired": self.repaired,
        }


def _bin(value: float, ends: tuple[float, ...]) -> float:
    return ends[bisect_right(ends, value) - 1]
