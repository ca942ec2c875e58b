"""What a snapshot is made of, counted row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

SHARE_BINS = (0.0, 0.0001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Lower ends, for hidden shares and areas; the first bin is nothing but a few pixels."""
LONG_EDGES = (0, 256, 512, 1024, 2048, 4096)
"""Lower ends in pixels."""
MOST_VALUES = 200
NAMED = ("split", "kind", "label", "producer", "licence", "prompts", "judge")
BINNED = ("hidden", "area", "long_edge")


class Composition:
    def __init__(self) -> None:
        self.counts: dict[str, Counter[Any]] = {name: Counter() for name in (*NAMED, *BINNED)}
        self.pictures: set[str] = set()
        self.verdicts: Counter[str] = Counter()
        self.repaired = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of ``training.manifest`` whose origin was written by ``training.services.freezing``."""
        origin, counts = row["origin"], self.counts
        counts["split"][row["split"]] += 1
        counts["kind"][row["kind"]] += 1
        counts["label"][row["label"]] += 1
        counts["producer"][origin["producer"]] += 1
        counts["licence"][origin["licence"]] += 1
        counts["hidden"][_bin(origin["hidden_share"], SHARE_BINS)] += 1
        counts["area"][_bin(origin["area_share"], SHARE_BINS)] += 1
        counts["long_edge"][_bin(max(row["source"]["width"], row["source"]["height"]), LONG_EDGES)] += 1
        counts["prompts"].update({prompt["kind"] for prompt in row["prompts"]})
        counts["judge"].update({verdict["judge"] for verdict in origin["verdicts"]})
        self.pictures.add(row["source"]["sha256"])
        self.verdicts.update(verdict["decision"] for verdict in origin["verdicts"] if verdict["is_counted"])
        self.repaired += bool(origin["repair_of"])

    def to_json(self) -> dict[str, Any]:
        """``counts``: name to ``[[value, rows], ...]``, most first; bins by their lower ends, in order."""
        ordered = {}
        for name, counter in self.counts.items():
            most = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_VALUES]
            ordered[name] = [list(pair) for pair in (sorted(counter.items()) if name in BINNED else most)]
        return {
            "counts": ordered,
            "pictures": len(self.pictures),
            "labels": len(self.counts["label"]),
            "judges": len(self.counts["judge"]),
            "verdicts": dict(self.verdicts),
            "repaired": self.repaired,
        }


def _bin(value: float, ends: tuple[float, ...]) -> float:
    return max(end for end in ends if value >= end)
