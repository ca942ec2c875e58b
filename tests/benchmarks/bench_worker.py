"""What the engine adds to the time of its networks, and whether a worker's memory stays where it is.

Recipe ``permissive`` through the database, every stage as it is; only the networks are stubs (``stub_networks``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from engine.imaging import encode_png
from engine.models import EngineRun, StageRun
from engine.services.images import import_image
from engine.services.leases import register_worker
from engine.services.runs import start_run
from engine.services.work import BATCH, batches
from tests.benchmarks import stub_networks
from tests.benchmarks.stub_networks import CLOCK
from tests.factories import make_project

SEEDS = (2, 7, 8, 15)
"""Composites of four objects, of which four to six pairs overlap."""
SIZE_PX, BATCHES = 1024, 3
SMALL_PX, MANY = 256, 2000


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_networks.install(monkeypatch)


def run_of(size_px: int, count: int) -> EngineRun:
    project = make_project()
    for number, picture in enumerate(stub_networks.pictures(SEEDS, size_px, count)):
        import_image(project=project, data=encode_png(picture), name=f"{number}.png")
    # The pictures are four with another first row each; the pre-filter would drop all but four.
    project.images.update(duplicate_of=None)
    return start_run(project=project, recipe_name="permissive")


def taken_through(count: int) -> None:
    assert sum(batches(register_worker("gpu"), "gpu")) == count


@pytest.mark.django_db
def test_overhead_beside_networks(bench: Callable[..., None], stubs: None) -> None:
    """From the claim of the first image to the last row saved. The first batch finds everything compiled."""
    CLOCK.restart(share=0.0)
    run_of(SIZE_PX, 2)
    taken_through(2)
    count = BATCHES * BATCH["gpu"]
    CLOCK.restart(share=1.0)
    run = run_of(SIZE_PX, count)
    load = os.getloadavg()[0]
    wall, cpu = time.perf_counter(), time.process_time()
    taken_through(count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    network = CLOCK.spent_s
    assert run.items.filter(status="finished").count() == count
    note = (
        f"network {network:.1f} s, wall {wall:.1f} s; {count} images of {SIZE_PX} px, "
        f"{network / count:.2f} s of networks each; {os.cpu_count()} cores, load of others {load:.1f}"
    )
    bench("engine, overhead beside the networks", 100 * (wall - network) / network, "%", note)
    bench("engine, processor time of an image", cpu / count, "s")
    counted = sum(StageRun.objects.filter(run=run).values_list("device_s", flat=True))
    bench("engine, network seconds counted", counted / network, "ratio")


@pytest.mark.django_db
def test_memory_over_many_images(bench: Callable[..., None], stubs: None) -> None:
    CLOCK.restart(share=0.0)
    run = run_of(SMALL_PX, MANY)
    process, seen = psutil.Process(), []
    started = time.perf_counter()
    for taken in batches(register_worker("gpu"), "gpu"):
        seen += [process.memory_info().rss / 2**20] * taken
    took = time.perf_counter() - started
    assert run.items.filter(status="finished").count() == len(seen) == MANY
    early, late = np.median(seen[100:300]), np.median(seen[-200:])
    bench("engine, memory of a worker", late, "MB", f"after {MANY} images of {SMALL_PX} px")
    bench("engine, memory growth", late - early, "MB", "between images 100 to 300 and the last 200")
    bench("engine, images without networks", MANY / took, "1/s", "six stages, networks of no cost")
