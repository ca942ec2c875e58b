"""Celery's broker in a folder, made safe for many processes.

kombu's filesystem transport lets a reader take a message that is only half written, and lets two processes write the
list of queues over each other; either ends a Celery worker with a ``JSONDecodeError``. Here a message appears whole
under its name or not at all, exactly one reader gets it, and the lists of queues are read and written under one lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """A message is the file ``<milliseconds>_<id>.<queue>.msg``; names that end in anything else are not looked at."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu disagrees on names
        name = f"{time.monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        unfinished = Path(self.data_folder_out, f"{name}.part")
        unfinished.write_text(dumps(payload))
        unfinished.replace(Path(self.data_folder_out, name))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for path in sorted(Path(self.data_folder_in).glob(f"*.{queue}.msg")):
            if path.name.partition(".")[2] != f"{queue}.msg":
                continue  # a queue whose name ends in a dot and this one's
            taken = path.with_name(f"{path.name}.taken")
            try:
                path.rename(taken)
            except FileNotFoundError:  # another reader was faster
                continue
            payload = taken.read_text()
            taken.unlink()
            return loads(payload)
        raise Empty

    def get_table(self, exchange: str) -> Any:
        with self._lock():
            return super().get_table(exchange)

    def _queue_bind(self, *args: Any) -> None:
        with self._lock():
            super()._queue_bind(*args)

    def _delete(self, *args: Any, **kwargs: Any) -> None:
        with self._lock():
            super()._delete(*args, **kwargs)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with Path(self.control_folder, "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel
