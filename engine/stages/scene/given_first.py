"""Given prompts where a picture has them, classical proposals elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.records import Scene
from engine.stages.scene import classical as proposed
from engine.stages.scene import joint_cut
from engine.stages.scene.classical import Classical
from engine.stages.scene.given import Given


@dataclass(frozen=True, slots=True)
class Params:
    """Parameters of the two backends it chooses between."""

    given: Mapping[str, Any] = field(default_factory=lambda: asdict(joint_cut.Params()))
    classical: Mapping[str, Any] = field(default_factory=lambda: asdict(proposed.Params()))


class GivenFirst:
    """``given`` for a picture with prompts, ``classical`` for one without."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)
        self.given = Given(**self.params.given)
        self.classical = Classical(**self.params.classical)

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        self.given.load(device, dtype)
        self.classical.load(device, dtype)

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        self.given([scene for scene in scenes if scene.given])
        self.classical([scene for scene in scenes if not scene.given])
        return scenes
