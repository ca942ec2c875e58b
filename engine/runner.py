"""Fold a batch of scenes through a recipe, stage by stage, with one report per scene and stage.

Pure: no database, no broker. ``run_stage`` is what a worker calls (it stores between stages),
``run`` is the whole fold for the command line, tests and benchmarks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module

from engine import registry
from engine.recipes import Recipe, StageSpec
from engine.records import Scene

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    KEPT = "kept"
    DROPPED = "dropped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one stage did to one scene. ``layers_in/out`` count kept instances before and after."""

    image_sha256: str
    stage: str
    backend: str
    outcome: Outcome
    seconds: float
    reason: str = ""
    layers_in: int = 0
    layers_out: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
    dropped_layers: dict[str, str] = field(default_factory=dict)
    """Instance key to reason, for those this stage gave up."""


class BrokenPromise(AssertionError):
    """A backend returned a scene that breaks what its stage promises (``stages/<stage>/base.py``)."""

    code = "broken_promise"


def run_stage(scenes: Sequence[Scene], spec: StageSpec, backend: registry.Backend) -> Iterator[StageReport]:
    """Take kept scenes through one stage in place, in chunks of the backend's batch size.

    A chunk that raises is halved until the scene at fault stands alone; that one is reported ``failed``
    and gets a drop reason, the others go on. Scenes dropped before are passed over without a report.
    """
    size = registry.find(spec.stage, spec.backend).batch_size
    todo = [scene for scene in scenes if scene.is_kept]
    for start in range(0, len(todo), size):
        yield from _run_chunk(todo[start : start + size], spec, backend)


def _run_chunk(scenes: list[Scene], spec: StageSpec, backend: registry.Backend) -> Iterator[StageReport]:
    kept_before = [{i.key for i in scene.kept_instances} for scene in scenes]
    started = time.perf_counter()
    try:
        backend(scenes)
        check = import_module(f"engine.stages.{spec.stage}.base").check
        for scene in scenes:
            if scene.is_kept:
                check(scene)
    except Exception as error:
        if len(scenes) > 1:
            middle = len(scenes) // 2
            yield from _run_chunk(scenes[:middle], spec, backend)
            yield from _run_chunk(scenes[middle:], spec, backend)
            return
        log.exception("stage %s (%s) failed on %s", spec.stage, spec.backend, scenes[0].image_sha256)
        reason = f"{getattr(error, 'code', type(error).__name__)}: {error}"[:500]
        scenes[0].drop_reason = "stage_failed"
        seconds = time.perf_counter() - started
        sha = scenes[0].image_sha256
        yield StageReport(sha, spec.stage, spec.backend, Outcome.FAILED, seconds, reason)
        return
    seconds = (time.perf_counter() - started) / len(scenes)
    for scene, before in zip(scenes, kept_before, strict=True):
        after = {i.key for i in scene.kept_instances}
        yield StageReport(
            image_sha256=scene.image_sha256,
            stage=spec.stage,
            backend=spec.backend,
            outcome=Outcome.KEPT if scene.is_kept else Outcome.DROPPED,
            seconds=seconds,
            reason=scene.drop_reason,
            layers_in=len(before),
            layers_out=len(after),
            numbers=dict(scene.numbers.get(spec.stage, {})),
            dropped_layers={i.key: i.drop_reason for i in scene.instances if not i.is_kept and i.key in before},
        )


def run(
    scenes: Sequence[Scene],
    recipe: Recipe,
    on_report: Callable[[StageReport], None] = lambda report: None,
    device: str = "cpu",
) -> list[StageReport]:
    """Take scenes through all six stages in place; each backend is loaded once."""
    reports = []
    for spec in recipe.stages:
        backend = registry.load(spec.stage, spec.backend, spec.params, device)
        for report in run_stage(scenes, spec, backend):
            reports.append(report)
            on_report(report)
    return reports
