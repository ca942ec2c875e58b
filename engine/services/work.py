"""What a worker does: claim images, have them taken through their stages, save every finished stage."""

from __future__ import annotations

import logging
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice

from engine.models import RunItem, Worker
from engine.records import STAGES
from engine.services.leases import claim_items, heartbeat
from engine.services.pipeline import Batch, Began, Finished, Over, Pipeline
from engine.services.reruns import origins_of
from engine.services.runs import finish_runs
from engine.services.stage_rows import LeaseLost, save

log = logging.getLogger(__name__)

BATCH = {"cpu": 2, "gpu": 16}
"""Images a worker takes at once: each network is loaded once a batch, and progress shows after each stage."""
THREADS = {"cpu": 1, "gpu": min(8, os.cpu_count() or 1)}
"""Workers without a device come one to a core."""


def always() -> bool:
    return True


def batches(worker: Worker, queue: str, goes_on: Callable[[], bool] = always) -> Iterator[int]:
    """Work until nothing is left, or until ``goes_on`` says that no more is to be claimed; yields the size of each
    batch that is done. To be read to its end: what was claimed and is not done then waits for its lease to end.
    """
    yield from _through(worker, queue, (claim_items(worker, queue, BATCH[queue]) for _ in iter(goes_on, False)))


def work(worker: Worker, queue: str) -> int:
    """Claim once, and finish that; returns how many images were taken (0: nothing to do)."""
    return sum(_through(worker, queue, islice(iter(lambda: claim_items(worker, queue, BATCH[queue]), None), 1)))


def _through(worker: Worker, queue: str, claims: Iterator[list[RunItem]]) -> Iterator[int]:
    """With a device the next images are claimed when it begins its last stage, so that it need not wait for them."""
    leases: dict[uuid.UUID, uuid.UUID] = {}
    held: deque[Batch] = deque()
    with heartbeat(worker, leases), Pipeline(worker.device, THREADS[queue]) as pipeline:

        def take() -> None:
            for batch in _by_run(next(claims, [])):
                leases.update({item.pk: item.lease for item in batch.items if item.lease is not None})
                held.append(batch)
                pipeline.start(batch)

        take()
        while held:
            match pipeline.next_event():
                case Began(batch, stage, images):
                    Worker.objects.filter(pk=worker.pk).update(doing=f"{stage} of {images} images")
                    if queue == "gpu" and batch is held[-1] and stage == STAGES[-1] and not batch.is_suspect:
                        take()
                case Finished(batch, item, report, made):
                    try:
                        save(item, report, made.result())
                    except LeaseLost:
                        log.warning("lost the lease of %s during %s", item, report.stage)
                        batch.lost.add(item.pk)
                case Over(batch, error):
                    if error is not None:
                        raise error
                    held.remove(batch)
                    for item in batch.items:
                        leases.pop(item.pk, None)
                    if not held:
                        Worker.objects.filter(pk=worker.pk).update(doing="")
                        take()
                    finish_runs()
                    yield len(batch.items)


def _by_run(items: Sequence[RunItem]) -> Iterator[Batch]:
    ordered = sorted(items, key=lambda item: str(item.run_id))
    for _, some in groupby(ordered, key=lambda item: item.run_id):
        batch = list(some)
        yield Batch(batch, origins_of(batch))
