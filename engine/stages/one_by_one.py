"""What backends without weights share: nothing to load, and one scene at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod

from engine.records import Scene


class OneByOne(ABC):
    """A backend (``engine.registry.Backend``) whose work on one scene knows nothing of the others in the batch."""

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:  # noqa: B027 - a whole answer, not a gap
        """Nothing to load."""

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        """The same scenes in the same order; those given up before are left as they are."""
        for scene in scenes:
            if scene.is_kept:
                self.work_on(scene)
        return scenes

    @abstractmethod
    def work_on(self, scene: Scene) -> None:
        """Take one kept scene through the stage, in place; what a backend writes instead of a loop."""
