"""A stage whose networks are stubs of a fixed cost: it waits as long as they would compute, and finds what was
prepared.

Waiting leaves the processor free, as a GPU does; so what a run takes beyond it is the engine's own work.
"""

from __future__ import annotations

import time

from engine.accounts import METER
from engine.recipes import Recipe, StageSpec
from engine.records import STAGES, Scene
from engine.registry import BackendRow
from engine.runner import run
from tests.engine.scenes import fresh_scene

ROWS = tuple(
    BackendRow(stage, "stub", "tests.benchmarks.stub_networks:Stub", "Waits", queue="gpu", batch_size=16)
    for stage in STAGES
)
_prepared: dict[int, dict[str, Scene]] = {}


def prepare(size_px: int, recipe: Recipe) -> Scene:
    """Keep a composite as each stage of ``recipe`` leaves it; returns the composite as it came."""
    scene = fresh_scene(7, size_px)
    fresh = scene.copy()
    _prepared[size_px] = {}
    run([scene], recipe, lambda report: _prepared[size_px].update({report.stage: scene.copy()}))
    return fresh


def recipe_of(seconds: float) -> Recipe:
    """Every stage takes a sixth of ``seconds`` an image."""
    return Recipe(
        "stub",
        tuple(StageSpec(stage, "stub", {"stage": stage, "seconds": seconds / len(STAGES)}) for stage in STAGES),
    )


class Stub:
    def __init__(self, stage: str, seconds: float) -> None:
        self.stage, self.seconds = stage, seconds

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        """Nothing to load."""

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        with METER.device("cpu"):
            time.sleep(self.seconds * len(scenes))
        for scene in scenes:
            found = _prepared[scene.image_hwc.shape[1]][self.stage].copy()
            found.image_sha256, found.image_hwc, found.given = scene.image_sha256, scene.image_hwc, scene.given
            for instance in found.instances:
                # The first row tells images apart: files are named by content, and none may be shared.
                if instance.completed_hwc is not None:
                    instance.completed_hwc[0] = scene.image_hwc[0]
                if instance.layer is not None:
                    instance.layer.rgba_hwc[0, :, :3] = scene.image_hwc[0]
                instance.given = None
            scene.become(found)
        return scenes
