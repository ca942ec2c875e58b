"""Claim images of runs for a worker, and keep the claim alive while it works.

A lease is a fencing token with an expiry. Expiry is a condition of the claim itself, so abandoned work is claimable
the moment its lease ends, whether or not anything sweeps.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from engine import devices
from engine.models import EngineRun, ItemStatus, RunItem, RunStatus, Worker
from engine.residency import RESIDENCY

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3

# The choice is materialized: as a mere subquery the planner may run it again for each row it meets, and every run takes
# as many images more, since it skips those it has already taken.
CLAIM = """
WITH chosen AS MATERIALIZED (
    SELECT id FROM engine_runitem
     WHERE queue = %(queue)s AND attempts = %(attempts)s
       AND (status = 'queued' OR (status = 'running' AND lease_expires_at < now()))
     ORDER BY created_at, id LIMIT %(count)s FOR UPDATE SKIP LOCKED
)
UPDATE engine_runitem item SET status = 'running', lease = gen_random_uuid(), worker_id = %(worker)s,
       attempts = attempts + 1, lease_expires_at = now() + make_interval(secs => %(lease_s)s)
  FROM chosen WHERE item.id = chosen.id
RETURNING item.id
"""


def claim_items(worker: Worker, queue: str, count: int) -> list[RunItem]:
    """Up to ``count`` waiting or abandoned images, now leased to this worker; safe among many.

    Those whose worker died with them come first and in ever smaller company, the last time alone: one that takes its
    worker down leaves the others behind, and is found.
    """
    for attempts in reversed(range(MAX_ATTEMPTS)):
        is_last = attempts + 1 == MAX_ATTEMPTS
        if ids := _claim(worker, queue, 1 if is_last else max(1, count // 4**attempts), attempts):
            break
    items = list(RunItem.objects.filter(pk__in=ids).select_related("run__project", "run__producer", "image"))
    runs = {item.run_id for item in items}
    EngineRun.objects.filter(pk__in=runs, status=RunStatus.QUEUED).update(status=RunStatus.RUNNING)
    return items


def _claim(worker: Worker, queue: str, count: int, attempts: int) -> list[uuid.UUID]:
    """In one statement."""
    values: dict[str, Any] = {
        "worker": worker.pk,
        "queue": queue,
        "count": count,
        "lease_s": settings.LEASE_S,
        "attempts": attempts,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        return [row[0] for row in cursor.fetchall()]


def has_claimable(queue: str) -> bool:
    waiting = RunItem.objects.filter(queue=queue, status=ItemStatus.QUEUED)
    abandoned = RunItem.objects.filter(
        queue=queue, status=ItemStatus.RUNNING, lease_expires_at__lt=timezone.now(), attempts__lt=MAX_ATTEMPTS
    )
    return waiting.exists() or abandoned.exists()


def register_worker(queue: str, device: str = "cpu") -> Worker:
    """This process as a row that people can see."""
    state = {"queue": queue, "device": device, **_state(device)}
    worker, _ = Worker.objects.update_or_create(
        name=f"{socket.gethostname()}:{os.getpid()}",
        defaults=state,
        create_defaults={**state, "started_at": state["heartbeat_at"]},
    )
    return worker


def device_of(queue: str) -> str:
    """Where a worker of this queue computes."""
    return devices.chosen() if queue == "gpu" else "cpu"


def show_worker(worker: Worker) -> None:
    """It is alive, and this is what it holds."""
    Worker.objects.filter(pk=worker.pk).update(**_state(worker.device))


@contextmanager
def heartbeat(worker: Worker, leases: dict[uuid.UUID, uuid.UUID]) -> Iterator[None]:
    """Extend the leases (item id to token) and show the worker alive, from a thread, until the block ends."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.LEASE_S / 4):
                _extend(worker, leases)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _extend(worker: Worker, leases: dict[uuid.UUID, uuid.UUID]) -> None:
    now = timezone.now()
    try:
        RunItem.objects.filter(lease__in=list(leases.values()), status=ItemStatus.RUNNING).update(
            lease_expires_at=now + timedelta(seconds=settings.LEASE_S)
        )
        show_worker(worker)
    except DatabaseError:
        # The next beat tries again; if none succeeds the lease ends and the work goes to somebody who can write.
        log.warning("heartbeat of %s could not be written", worker.name, exc_info=True)
        connection.close()


def _state(device: str) -> dict[str, Any]:
    memory = devices.memory_of(device)
    return {
        "heartbeat_at": timezone.now(),
        "memory_mb": devices.memory_of("cpu").used_mb,
        "device_used_mb": memory.used_mb,
        "device_free_mb": memory.free_mb,
        "resident": RESIDENCY.listed(),
    }
