"""Who works on a snapshot, an export, a training run: one worker at a time, for as long as it gives signs of life."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone

from training.models import JobStatus
from training.models.jobs import LIVE, Job

log = logging.getLogger(__name__)

J = TypeVar("J", bound=Job)
MAX_ATTEMPTS = 3
"""Claims without any progress in between; then the job kills its workers, and is failed."""
DATABASE_LOST = (OperationalError, InterfaceError)
"""No fault of the job: its lease runs out, and whoever claims it next goes on."""


class LeaseLost(Exception):
    """Another worker has the job now, or it was cancelled: nothing of ours may be written any more."""


def claim(kind: type[J], pk: Any = None) -> J | None:
    """The oldest waiting or abandoned job, or the one that is asked for, now ours; ``None`` when there is none."""
    abandoned = Q(status=JobStatus.RUNNING, lease_expires_at__lt=timezone.now())
    free = kind._default_manager.filter(Q(status=JobStatus.QUEUED) | abandoned, attempts__lt=MAX_ATTEMPTS)
    for found in (free if pk is None else free.filter(pk=pk)).order_by("created_at")[:5]:
        # Whoever reads the same lease first and writes second changes nothing.
        ours = kind._default_manager.filter(pk=found.pk, status=found.status, lease=found.lease)
        if ours.update(lease=uuid.uuid4(), attempts=F("attempts") + 1, status=JobStatus.RUNNING, **_extension()):
            found.refresh_from_db()
            return found
    return None


def has_claimable(*kinds: type[Job]) -> bool:
    abandoned = Q(status=JobStatus.RUNNING, lease_expires_at__lt=timezone.now())
    waiting = Q(Q(status=JobStatus.QUEUED) | abandoned, attempts__lt=MAX_ATTEMPTS)
    return any(kind._default_manager.filter(waiting).exists() for kind in kinds)


def give_up_on_poison(*kinds: type[Job]) -> int:
    """Fail jobs of these kinds whose workers died again and again without any progress."""
    gone = Q(status=JobStatus.RUNNING, lease_expires_at__lt=timezone.now(), attempts__gte=MAX_ATTEMPTS)
    reason = "worker_lost: its worker stopped in the middle, again and again"
    ended = ended_as(JobStatus.FAILED, reason=reason)
    return sum(kind._default_manager.filter(gone).update(**ended) for kind in kinds)


def write(job: Job, **changes: Any) -> None:
    """Change the job while it is ours, else ``LeaseLost``."""
    kind = type(job)
    if kind._default_manager.filter(pk=job.pk, lease=job.lease, status=JobStatus.RUNNING).update(**changes) == 0:
        raise LeaseLost
    for name, value in changes.items():
        setattr(job, name, value)


def ended_as(status: str, **changes: Any) -> dict[str, Any]:
    return {"status": status, "lease": None, "lease_expires_at": None, "finished_at": timezone.now(), **changes}


def cancel(job: Job) -> bool:
    """Stop it; what it has stored stays until it is deleted. ``False`` if it was over."""
    live = type(job)._default_manager.filter(pk=job.pk, status__in=LIVE)
    return live.update(**ended_as(JobStatus.CANCELLED)) == 1


@contextmanager
def heartbeat(job: Job) -> Iterator[None]:
    """Extend the lease from a thread until the block ends."""
    stop = threading.Event()
    ours = type(job)._default_manager.filter(pk=job.pk, lease=job.lease, status=JobStatus.RUNNING)

    def beat() -> None:
        try:
            while not stop.wait(settings.LEASE_S / 4):
                try:
                    ours.update(**_extension())
                except DatabaseError:
                    # The next beat tries again; if none succeeds the work goes to somebody who can write.
                    log.warning("heartbeat of %s could not be written", job, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _extension() -> dict[str, Any]:
    return {"lease_expires_at": timezone.now() + timedelta(seconds=settings.LEASE_S)}
