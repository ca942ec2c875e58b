"""What a run would learn from, before it is started."""

from __future__ import annotations

from dataclasses import dataclass

from engine.models import Layer, LayerStatus, Producer, Project
from training.mixing import Mix
from training.models import Snapshot
from training.rules import OnReserved, Rules
from training.run_params import BATCH, STEPS
from training.selectors.candidates import Preview, preview


@dataclass(frozen=True, slots=True)
class Source:
    """``layers`` there are; ``None`` for composites, which are made as needed. ``samples`` drawn in the whole run."""

    name: str
    weight: float
    layers: int | None
    samples: int


@dataclass(frozen=True, slots=True)
class TrainingPreview:
    """``accepted``: what would be frozen first, where no snapshot is chosen."""

    sources: list[Source]
    splits: dict[str, int]
    steps: int
    accepted: Preview | None = None

    @property
    def is_possible(self) -> bool:
        return any(source.samples for source in self.sources)


def training_preview(
    project: Project, snapshot: Snapshot | None, mix: Mix, steps: int = STEPS, batch: int = BATCH
) -> TrainingPreview:
    """Of a run on this snapshot, or on the layers that are accepted now."""
    accepted = None if snapshot else preview(project, Rules(on_reserved=OnReserved.LEAVE_OUT.value))
    splits = dict(snapshot.splits if snapshot else accepted.splits if accepted else {})
    there = {"validated": splits.get("train", 0), "automatic": _automatic(project) if mix.automatic else 0}
    weights = mix.to_json()
    used = {name: weight for name, weight in weights.items() if weight and there.get(name, 1)}
    total = sum(used.values())
    sources = [
        Source(name, weight, there.get(name), round(steps * batch * used.get(name, 0) / total) if total else 0)
        for name, weight in weights.items()
    ]
    return TrainingPreview(sources, splits, steps, accepted)


def _automatic(project: Project) -> int:
    ready = Layer.objects.filter(project=project, status=LayerStatus.READY, author=None)
    return ready.filter(producer__kind=Producer.Kind.RECIPE).count()
