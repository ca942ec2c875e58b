"""A GPU worker is seen while it waits for work, too: it has a process of its own, which no sweep shows alive."""

from __future__ import annotations

import logging
import threading

from django.conf import settings
from django.db import DatabaseError, connection

from engine.services.leases import device_of, register_worker

log = logging.getLogger(__name__)


class Presence:
    """Shows this process as a worker of ``queue``, from a thread, until it is stopped."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _show(self) -> None:
        device = device_of(self.queue)
        try:
            while True:
                try:
                    register_worker(self.queue, device)
                except DatabaseError:
                    log.warning("this worker could not show itself", exc_info=True)
                    connection.close()
                if self._stop.wait(settings.LEASE_S / 4):
                    return
        finally:
            connection.close()
