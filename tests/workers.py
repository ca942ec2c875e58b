"""Workers as processes: real Celery on the filesystem broker, or on another one that the environment names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.services import database_url

LEASE_S = 3
Start = Callable[..., "subprocess.Popen[bytes]"]


@contextmanager
def workers(home: Path) -> Iterator[Start]:
    """A function that starts a worker on the test's database and files; all that are left are killed at the end.

    On the queue ``gpu`` it is one process with the solo pool, as on a machine with a GPU, and does not sweep.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(queues: str = "default,cpu", **environment: str) -> subprocess.Popen[bytes]:
        env = {
            **os.environ,
            "RLD_HOME": str(home),
            "DATABASE_URL": database_url(),
            "RLD_LEASE_S": str(LEASE_S),
            "C_FORCE_ROOT": "1",
            **environment,
        }
        of_kind = ["--pool", "solo"] if queues == "gpu" else ["--beat"]
        command = [
            *(sys.executable, "-m", "celery", "--app", "rld_platform", "--quiet", "worker", *of_kind),
            *("--queues", queues, "--concurrency", "1", "--loglevel", "warning"),
        ]
        worker = subprocess.Popen(command, env=env, start_new_session=True)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        if worker.poll() is None:
            kill(worker)
        worker.wait()


def kill(worker: Any) -> None:
    """With everything it started, as a machine that loses power."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    pytest.fail(f"not within {seconds} s: {what}")
