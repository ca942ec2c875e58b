import dataclasses

import numpy as np

from engine import registry, runner
from engine.accounts import METER
from engine.recipes import StageSpec
from engine.records import Scene
from engine.stages.roles import Answer

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


def test_a_batch_that_failed_is_tried_again_from_where_it_was(monkeypatch):
    """A backend may have changed some scenes when it meets the poison; they must not be changed twice."""

    class Adding(Measuring):
        def __call__(self, scenes):
            for scene in scenes:
                scene.numbers.setdefault("prefilter", {"visits": 0.0})["visits"] += 1
                if scene.image_hwc.min() == 255:
                    raise RuntimeError("poison")
            return scenes

    batched(monkeypatch, 8)
    scenes = [scene_of(255 if number == 6 else 100, number) for number in range(8)]
    reports = list(runner.run_stage(scenes, SPEC, Adding()))
    assert sorted(r.numbers["visits"] for r in reports if r.outcome == "kept") == [1.0] * 7
    assert [scene.is_kept for scene in scenes] == [True] * 6 + [False, True]


def test_a_device_without_memory_for_a_batch_of_pictures_takes_smaller_ones(monkeypatch):
    import torch

    class Small(Measuring):
        def __call__(self, scenes):
            if len(scenes) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().__call__(scenes)

    batched(monkeypatch, 8)
    reports = list(runner.run_stage([scene_of(100, number) for number in range(8)], SPEC, Small()))
    assert [r.outcome for r in reports] == ["kept"] * 8


def test_pictures_of_one_shape_come_in_one_batch(monkeypatch):
    shapes = []

    class Looking(Measuring):
        def __call__(self, scenes):
            shapes.append({scene.image_hwc.shape for scene in scenes})
            return super().__call__(scenes)

    batched(monkeypatch, 3)
    sides = (4, 6, 4, 6, 4, 6)
    scenes = [Scene(f"{n:064x}", np.full((side, 4, 3), 90, np.uint8)) for n, side in enumerate(sides)]
    assert len(list(runner.run_stage(scenes, SPEC, Looking()))) == 6
    assert [len(some) for some in shapes] == [1, 1]


def test_what_a_batch_cost_is_shared_among_its_pictures(monkeypatch):
    class Asking(Measuring):
        def __call__(self, scenes):
            METER.answers([Answer("", tokens=10)])
            with METER.device("cpu"):
                return super().__call__(scenes)

    batched(monkeypatch, 3)
    reports = list(runner.run_stage([scene_of(100, number) for number in range(3)], SPEC, Asking()))
    assert [r.cost.tokens for r in reports] == [4, 3, 3]
    assert all(0 < r.cost.device_s <= r.seconds for r in reports)
