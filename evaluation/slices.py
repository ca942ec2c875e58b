"""The parts of a benchmark that are looked at one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from evaluation.metrics.pairs import LayerPair

BANDS: tuple[tuple[str, float], ...] = (
    ("under 5 %", 0.05),
    ("5 to 20 %", 0.2),
    ("20 to 40 %", 0.4),
    ("40 % and more", 1.01),
)
"""Share of the amodal mask hidden: name and end (exclusive)."""
HIDDEN, CATEGORY, PROMPT = "hidden", "category", "prompt"


def slices_of(pair: LayerPair) -> dict[str, str]:
    """Dimension to the slice this pair is in; ``category`` and ``prompt`` only where the benchmark names them."""
    found = {HIDDEN: next(name for name, end in BANDS if pair.hidden_share < end)}
    return found | {name: pair.facts[name] for name in (CATEGORY, PROMPT) if pair.facts.get(name)}


def by_slice(slices: Mapping[str, Mapping[str, str]], names: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    """(Dimension, slice) to the names in it; occlusion bands in their order, the rest by name."""
    order = {name: at for at, (name, _) in enumerate(BANDS)}
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        for dimension, value in slices[name].items():
            groups[dimension, value].append(name)
    dimensions = (HIDDEN, CATEGORY, PROMPT)
    return dict(sorted(groups.items(), key=lambda kv: (dimensions.index(kv[0][0]), order.get(kv[0][1], 0), kv[0][1])))
