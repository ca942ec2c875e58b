"""Celery's way in. A message carries no work: it says "look into the database"."""

from __future__ import annotations

import time

from celery import shared_task

from engine.services.doorbell import ring
from engine.services.drafts import forget_old_drafts
from engine.services.leases import MAX_ATTEMPTS, device_of, has_claimable, register_worker
from engine.services.runs import finish_runs, give_up_on_poison
from engine.services.scene_files import forget_old_scenes
from engine.services.work import BATCH, batches

TURN_S = {"cpu": 60.0, "gpu": 300.0}
"""After this long a worker claims no more, lets other tasks have a turn and rings for itself. With a device there are
few others to let in, and the device waits between two turns."""


@shared_task(name="engine.tasks.work")
def work(queue: str) -> None:
    """Take images of this queue until none are left."""
    worker = register_worker(queue, device_of(queue))
    started = time.monotonic()
    for _ in batches(worker, queue, goes_on=lambda: time.monotonic() - started < TURN_S[queue]):
        continue
    if has_claimable(queue):
        ring(queue)


@shared_task(name="engine.tasks.sweep")
def sweep() -> None:
    """Every few seconds: ring where work waits or was abandoned, end what is over, show this worker alive."""
    register_worker("default")
    give_up_on_poison(MAX_ATTEMPTS)
    finish_runs()
    for queue in BATCH:
        if has_claimable(queue):
            ring(queue)


@shared_task(name="engine.tasks.forget_scenes")
def forget_scenes() -> None:
    """Every hour: scenes that nobody goes on from any more go."""
    while forget_old_scenes():
        pass


@shared_task(name="engine.tasks.forget_drafts")
def forget_drafts() -> None:
    """Every hour: drafts of repairs that nobody goes on with go."""
    forget_old_drafts()
