"""What a snapshot is made of, counted some thousand layers at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

SHARE_BINS = (0.0, 0.0001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Lower ends, for hidden shares and areas; the first bin is nothing but a few pixels."""
LONG_EDGES = (0, 256, 512, 1024, 2048, 4096)
"""Lower ends in pixels."""
MOST_VALUES = 200
NAMED = ("split", "kind", "label", "producer", "licence", "prompts", "judge")
BINNED = ("hidden", "area", "long_edge")


class Facts(NamedTuple):
    """Of many layers, column by column. ``picture``: its digest; ``prompts``, ``judges``: kinds and pseudonyms, with
    commas between those of a layer; ``accepts``, ``rejects``: counted verdicts."""

    split: Sequence[str]
    kind: Sequence[str]
    label: Sequence[str]
    producer: Sequence[str]
    licence: Sequence[str]
    hidden_share: Sequence[float]
    area_share: Sequence[float]
    long_edge: Sequence[int]
    is_repair: Sequence[bool]
    picture: Sequence[str]
    prompts: Sequence[str]
    judges: Sequence[str]
    accepts: Sequence[int]
    rejects: Sequence[int]


class Composition:
    def __init__(self) -> None:
        self.counts: dict[str, Counter[Any]] = {name: Counter() for name in (*NAMED, *BINNED)}
        self.pictures: set[str] = set()
        self.accepts = self.rejects = self.repaired = 0

    def add(self, layers: Facts) -> None:
        for name in ("split", "kind", "label", "producer", "licence"):
            self.counts[name].update(getattr(layers, name))
        self._add_sets("prompts", layers.prompts)
        self._add_sets("judge", layers.judges)
        self._add_binned("hidden", layers.hidden_share, SHARE_BINS)
        self._add_binned("area", layers.area_share, SHARE_BINS)
        self._add_binned("long_edge", layers.long_edge, LONG_EDGES)
        self.pictures.update(layers.picture)
        self.accepts += sum(layers.accepts)
        self.rejects += sum(layers.rejects)
        self.repaired += sum(layers.is_repair)

    def _add_sets(self, name: str, joined: Sequence[str]) -> None:
        """Whatever stands between commas counts once a layer. Few combinations are many layers."""
        for values, layers in Counter(joined).items():
            for value in set(values.split(",")) - {""}:
                self.counts[name][value] += layers

    def _add_binned(self, name: str, values: Sequence[float], ends: tuple[float, ...]) -> None:
        for above, layers in Counter(map(partial(bisect_right, ends), values)).items():
            self.counts[name][ends[above - 1]] += layers

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
