"""Fold a batch of scenes through a recipe, stage by stage, with one report per scene and stage.

Pure: no database, no broker. ``run_stage`` is what a worker calls (it stores between stages),
``run`` is the whole fold for the command line, tests and benchmarks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module

from engine import registry
from engine.accounts import METER, Cost
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
    cost: Cost = field(default_factory=Cost)
    """An equal share of what its batch cost, as are ``seconds``."""
    dropped_layers: dict[str, str] = field(default_factory=dict)
    """Instance key to reason, for those this stage gave up."""


class BrokenPromise(AssertionError):
    """A backend returned a scene that breaks what its stage promises (``stages/<stage>/base.py``)."""

    code = "broken_promise"


def run_stage(
    scenes: Sequence[Scene], spec: StageSpec, backend: registry.Backend, threads: int = 1
) -> Iterator[StageReport]:
    """Take kept scenes through one stage in place, in chunks of the backend's batch size.

    Pictures of one shape come after each other, so that networks which want them so find them in one chunk. A chunk
    that raises is put back as it was and halved until the scene at fault stands alone; that one is reported ``failed``
    and gets a drop reason, the others go on. Scenes dropped before are passed over without a report. With several
    ``threads`` the processor works on some chunks while the device computes for another.
    """
    size = registry.find(spec.stage, spec.backend).batch_size
    todo = [scene for scene in scenes if scene.is_kept]
    if size > 1:
        todo.sort(key=lambda scene: scene.image_hwc.shape)
    chunks = [todo[start : start + size] for start in range(0, len(todo), size)]
    if min(threads, len(chunks)) < 2:
        for chunk in chunks:
            yield from _run_chunk(chunk, spec, backend)
        return
    with ThreadPoolExecutor(threads, spec.stage) as pool:
        for reports in pool.map(lambda chunk: list(_run_chunk(chunk, spec, backend)), chunks):
            yield from reports


def _run_chunk(scenes: list[Scene], spec: StageSpec, backend: registry.Backend) -> Iterator[StageReport]:
    kept_before = [{i.key for i in scene.kept_instances} for scene in scenes]
    before = [scene.copy() for scene in scenes] if len(scenes) > 1 else []
    started, spent = time.perf_counter(), METER.read
    error = _attempt(scenes, spec, backend)
    if error is not None and len(scenes) == 1:
        yield from failed(scenes, spec, error, time.perf_counter() - started)
        return
    if error is not None:
        # Its traceback holds what the device had in work, which the halves need room for.
        del error
        for scene, copy in zip(scenes, before, strict=True):
            scene.become(copy)
        middle = len(scenes) // 2
        yield from _run_chunk(scenes[:middle], spec, backend)
        yield from _run_chunk(scenes[middle:], spec, backend)
        return
    whole = METER.read - spent
    seconds = (time.perf_counter() - started - whole.waited_s) / len(scenes)
    costs = _shared(whole, len(scenes))
    for scene, keys, cost in zip(scenes, kept_before, costs, strict=True):
        after = {i.key for i in scene.kept_instances}
        yield StageReport(
            image_sha256=scene.image_sha256,
            stage=spec.stage,
            backend=spec.backend,
            outcome=Outcome.KEPT if scene.is_kept else Outcome.DROPPED,
            seconds=seconds,
            reason=scene.drop_reason,
            layers_in=len(keys),
            layers_out=len(after),
            numbers=dict(scene.numbers.get(spec.stage, {})),
            dropped_layers={i.key: i.drop_reason for i in scene.instances if not i.is_kept and i.key in keys},
            cost=cost,
        )


def _attempt(scenes: list[Scene], spec: StageSpec, backend: registry.Backend) -> Exception | None:
    try:
        backend(scenes)
        check = import_module(f"engine.stages.{spec.stage}.base").check
        for scene in scenes:
            if scene.is_kept:
                check(scene)
    except Exception as error:  # noqa: BLE001 - a backend may fail in any way, and only its picture pays
        return error
    return None


def failed(scenes: Sequence[Scene], spec: StageSpec, error: Exception, seconds: float = 0.0) -> Iterator[StageReport]:
    """Give scenes up because of a defect: its code and sentence become the reason."""
    reason = reason_of(error)
    for scene in scenes:
        log.error("stage %s (%s) failed on %s", spec.stage, spec.backend, scene.image_sha256, exc_info=error)
        scene.drop_reason = "stage_failed"
        yield StageReport(scene.image_sha256, spec.stage, spec.backend, Outcome.FAILED, seconds, reason)


def reason_of(error: BaseException) -> str:
    return f"{getattr(error, 'code', type(error).__name__)}: {error}"[:500]


def _shared(cost: Cost, count: int) -> list[Cost]:
    """Equal parts whose sum is the whole."""
    each, rest = divmod(cost.tokens, count)
    return [Cost(cost.device_s / count, each + (number < rest)) for number in range(count)]


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
