"""Tell a worker that a snapshot, an export or a prediction waits. The work itself stands in the database."""

from __future__ import annotations

import logging

from celery import current_app

log = logging.getLogger(__name__)


def ring(queue: str, task: str = "training.tasks.work") -> None:
    """Best effort: when the broker does not answer, the sweeper rings again within seconds."""
    try:
        current_app.send_task(task, queue=queue, ignore_result=True)
    except Exception:
        # Every transport has its own errors, and none of them may undo what is already saved.
        log.warning("could not ring for queue %s; the sweeper will", queue, exc_info=True)
