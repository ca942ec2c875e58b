import dataclasses

import numpy as np

from engine import registry, runner
from engine.recipes import StageSpec
from engine.records import Scene

SPEC = StageSpec("prefilter", "rules")


class Measuring:
    """A stand-in for a backend that takes batches: fails on white pictures, drops black ones."""

    def load(self, device: str = "cpu", dtype: str = "float32") -> None: ...

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        for scene in scenes:
            if scene.image_hwc.min() == 255:
                raise RuntimeError("poison")
            if scene.image_hwc.max() == 0:
                scene.drop_reason = "black"
            scene.numbers["prefilter"] = {"mean": float(scene.image_hwc.mean())}
        return scenes


def scene_of(level: int, number: int = 0) -> Scene:
    return Scene(f"{number:064x}", np.full((4, 4, 3), level, np.uint8))


def batched(monkeypatch, size):
    row = dataclasses.replace(registry.find("prefilter", "rules"), batch_size=size)
    monkeypatch.setattr(registry, "find", lambda stage, name: row)


def test_a_dropped_scene_is_reported_once_and_passed_over_later():
    scenes = [scene_of(0), scene_of(100, 1)]
    first = list(runner.run_stage(scenes, SPEC, Measuring()))
    second = list(runner.run_stage(scenes, SPEC, Measuring()))
    assert [(r.outcome, r.reason) for r in first] == [("dropped", "black"), ("kept", "")]
    assert [r.image_sha256 for r in second] == [scenes[1].image_sha256]


def test_a_poison_picture_fails_alone_in_its_batch(monkeypatch):
    batched(monkeypatch, 8)
    scenes = [scene_of(255 if number == 5 else 100, number) for number in range(8)]
    reports = {r.image_sha256: r for r in runner.run_stage(scenes, SPEC, Measuring())}
    assert len(reports) == 8
    failed = [r for r in reports.values() if r.outcome == "failed"]
    assert [r.image_sha256 for r in failed] == [scenes[5].image_sha256]
    assert failed[0].reason == "RuntimeError: poison"


def test_a_backend_that_breaks_its_promise_fails_the_scene():
    class Silent(Measuring):
        def __call__(self, scenes):
            return scenes

    (report,) = runner.run_stage([scene_of(100)], SPEC, Silent())
    assert report.outcome == "failed"
    assert report.reason.startswith("broken_promise")
