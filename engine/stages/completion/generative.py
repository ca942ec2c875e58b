"""Amodal completion by inpainting networks: objects in clean context, backgrounds in two passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from engine import networks
from engine.records import Scene
from engine.stages.completion import background, objects

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Params:
    """Networks are specs of ``engine.networks``; where one may be ``None`` its test or pass is then left out."""

    inpainter: Spec = field(default_factory=lambda: {"network": "diffusers_inpaint"})
    structure: Spec = field(default_factory=lambda: {"network": "lama"})
    """For backgrounds."""
    refine: Spec | None = None
    """Second pass over large holes of backgrounds."""
    segmenter: Spec | None = field(default_factory=lambda: {"network": "sam2"})
    """Finds the object in what was painted; without it the shape of the visible part decides."""
    detector: Spec | None = None
    """Looks for occluders and removed things that were painted again."""
    agreement: Spec | None = None
    features: Spec | None = None
    objects: Mapping[str, Any] = field(default_factory=lambda: asdict(objects.Limits()))
    background: Mapping[str, Any] = field(default_factory=lambda: asdict(background.Limits()))


class Generative:
    """All objects of a batch share the calls of each network."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)
        self.networks = {
            name: networks.make(spec)
            for name in ("inpainter", "structure", "refine", "segmenter", "detector", "agreement", "features")
            if (spec := getattr(self.params, name)) is not None
        }
        self.object_limits = objects.Limits(**self.params.objects)
        self.background_limits = background.Limits(**self.params.background)

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        for network in self.networks.values():
            network.load(device, dtype)

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        kept = [scene for scene in scenes if scene.is_kept]
        use = self.networks
        judges = objects.Judges(*(use.get(name) for name in ("segmenter", "detector", "agreement", "features")))
        objects.complete(kept, use["inpainter"], judges, self.object_limits)
        background.fill(kept, use["structure"], use.get("refine"), use.get("detector"), self.background_limits)
        for scene in kept:
            scene.numbers["completion"] |= _numbers(scene)
        return scenes


def _numbers(scene: Scene) -> dict[str, float]:
    shares = [
        1.0 - np.count_nonzero(i.visible_hw) / np.count_nonzero(i.amodal_hw)
        for i in scene.foregrounds
        if i.amodal_hw is not None
    ]
    made = scene.background
    return {
        "occluded_objects": float(sum(share > 0 for share in shares)),
        "mean_hidden_share": float(np.mean(shares)) if shares else 0.0,
        "completion_failed": float(sum("completion_failed" in i.scores for i in scene.foregrounds)),
        "background_hole_share": float(1 - made.visible_hw.mean()) if made is not None else 0.0,
    }
