"""What a run gave up and why, with a few pictures of each reason, narrowed by how the photographs look."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.models import EngineRun, Layer, LayerStatus, RunItem, StageRun
from engine.records import STAGES

SAMPLES = 6
LOOKS = ("grey", "dark", "bright", "plain", "usual")


def look_of(numbers: Mapping[str, float]) -> str:
    """How a photograph looks, from what the pre-filter measured: no network judges its style.

    ``grey``: nine tenths without colour; ``dark`` and ``bright``: a third of it clipped; ``plain``: little in it.
    """
    if numbers.get("grey_share", 0.0) > 0.9:
        return "grey"
    if numbers.get("clipped_dark", 0.0) > 1 / 3:
        return "dark"
    if numbers.get("clipped_bright", 0.0) > 1 / 3:
        return "bright"
    return "plain" if numbers.get("entropy", 8.0) < 6.0 else "usual"


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture or layer that was given up; ``layer`` only where a finished one is stored."""

    item: RunItem
    row: StageRun
    layer: Layer | None


@dataclass(slots=True)
class FailureGroup:
    """``outcome`` is one of ``StageRun.Outcome``, or ``layers`` for single layers."""

    stage: str
    outcome: str
    reason: str
    count: int = 0
    looks: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)


def failure_groups(run: EngineRun, look: str = "") -> tuple[list[FailureGroup], Counter[str]]:
    """Groups by stage and reason, the most frequent first, and how often each look is among all that was given up."""
    troubled = run.stage_runs.exclude(outcome=StageRun.Outcome.KEPT) | run.stage_runs.exclude(dropped_layers={})
    rows = troubled.order_by("pk").values_list("pk", "item_id", "stage", "outcome", "reason", "dropped_layers")
    measured = run.stage_runs.filter(stage=STAGES[0], item__in=troubled.values("item"))
    look_by_item = {item: look_of(numbers) for item, numbers in measured.values_list("item_id", "numbers")}
    groups: dict[tuple[str, str, str], FailureGroup] = {}
    picked: defaultdict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
    looks: Counter[str] = Counter()
    for pk, item, stage, outcome, reason, dropped_layers in rows:
        seen = look_by_item.get(item, "usual")
        lost = [(outcome, reason, "")] if outcome != StageRun.Outcome.KEPT else []
        lost += [("layers", why, key) for key, why in sorted(dropped_layers.items())]
        looks[seen] += len(lost)
        if look and seen != look:
            continue
        for kind, why, key in lost:
            name = (stage, kind, why)
            group = groups.setdefault(name, FailureGroup(*name))
            group.count += 1
            group.looks[seen] += 1
            if len(picked[name]) < SAMPLES:
                picked[name].append((pk, key))
    _add_samples(groups, picked)
    return sorted(groups.values(), key=lambda g: (-g.count, STAGES.index(g.stage), g.reason)), looks


def _add_samples(
    groups: Mapping[tuple[str, str, str], FailureGroup],
    picked: Mapping[tuple[str, str, str], list[tuple[int, str]]],
) -> None:
    wanted = {pk for some in picked.values() for pk, _ in some}
    rows = {row.pk: row for row in StageRun.objects.filter(pk__in=wanted).select_related("item__image")}
    items = {row.item_id for row in rows.values()}
    stored = Layer.objects.filter(item__in=items, status=LayerStatus.DROPPED)
    layers: dict[tuple[uuid.UUID | None, str], Layer] = {(layer.item_id, layer.key): layer for layer in stored}
    for name, some in picked.items():
        groups[name].samples = [
            Sample(rows[pk].item, rows[pk], layers.get((rows[pk].item_id, key))) for pk, key in some
        ]
