"""What the engine adds to the time of its networks, and whether a worker's memory stays where it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
import psutil
import pytest

from engine import recipes, registry
from engine.imaging import encode_png
from engine.models import EngineRun, Project, StageRun
from engine.services import work as module
from engine.services.images import import_image
from engine.services.leases import register_worker
from engine.services.runs import start_run
from tests.benchmarks import stub_networks
from tests.factories import make_project

BATCH = 16
NETWORK_S = 2.5
"""An image, all six stages: the aim for one H200 with photographs of a megapixel."""
SIZE_PX = 1024
MANY, SMALL_PX = 2000, 128


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Recipe ``stub`` with stages that take so many seconds an image."""
    monkeypatch.setattr(registry, "BACKENDS", registry.BACKENDS + stub_networks.ROWS)

    def set_cost(seconds: float) -> None:
        monkeypatch.setitem(recipes.RECIPES, "stub", lambda: stub_networks.recipe_of(seconds))

    return set_cost


class Inline:
    """An executor that does the work at once: how it would be without threads."""

    def __init__(self, *args: Any) -> None: ...

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *args: Any) -> None: ...

    def map(self, function: Callable[..., Any], *items: Any) -> Any:
        return map(function, *items)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(function(*args))
        return done


def pictures(project: Project, scene: Any, count: int) -> None:
    """So many different pictures: the scene with another first row."""
    for number in range(count):
        pixels = scene.image_hwc.copy()
        pixels[0, :8, 0] = list(number.to_bytes(8, "big"))
        import_image(project=project, data=encode_png(pixels), name=f"{number}.png", given=scene.given)


def overhead_of_a_run(bench: Callable[..., None], name: str, scene: Any) -> EngineRun:
    """Beyond the networks: on the clock, which other work on the machine lengthens, and of the processor."""
    project = make_project()
    pictures(project, scene, BATCH)
    run = start_run(project=project, recipe_name="stub")
    wall, cpu = time.perf_counter(), time.process_time()
    assert module.work(register_worker("gpu"), "gpu") == BATCH
    wall, cpu = time.perf_counter() - wall - NETWORK_S * BATCH, time.process_time() - cpu
    note = f"of the network time, {wall / BATCH * 1000:.0f} ms an image; processor {cpu / BATCH * 1000:.0f} ms an image"
    bench(f"engine, overhead of {name}", 100 * wall / (NETWORK_S * BATCH), "%", note)
    bench(f"engine, processor time of {name}", 100 * cpu / (NETWORK_S * BATCH), "%", "of the network time")
    return run


@pytest.mark.django_db
def test_overhead_beside_networks(bench, stubs, monkeypatch):
    stubs(NETWORK_S)
    scene = stub_networks.prepare(SIZE_PX, recipes.cpu())
    network_s = NETWORK_S * BATCH
    run = overhead_of_a_run(bench, "a worker", scene)
    counted = sum(StageRun.objects.filter(run=run).values_list("device_s", flat=True))
    bench("engine, network seconds counted", counted / network_s, "ratio", f"batch {BATCH}, {SIZE_PX} px")
    assert run.items.filter(status="finished").count() == BATCH
    monkeypatch.setattr(module, "ThreadPoolExecutor", Inline)
    overhead_of_a_run(bench, "a worker without threads", scene)


@pytest.mark.django_db
def test_memory_over_many_images(bench, stubs):
    stubs(0.0)
    scene = stub_networks.prepare(SMALL_PX, recipes.cpu())
    project = make_project()
    pictures(project, scene, MANY)
    start_run(project=project, recipe_name="stub")
    worker, process, seen = register_worker("gpu"), psutil.Process(), []
    started = time.perf_counter()
    for taken in module.batches(worker, "gpu"):
        seen += [process.memory_info().rss / 2**20] * taken
    took = time.perf_counter() - started
    assert len(seen) == MANY
    early, late = np.median(seen[100:300]), np.median(seen[-200:])
    bench("engine, memory of a worker", late, "MB", f"after {MANY} images of {SMALL_PX} px")
    bench("engine, memory growth", late - early, "MB", "between images 100 to 300 and the last 200")
    bench("engine, images through the database", MANY / took, "1/s", "six stages, networks of no cost")
