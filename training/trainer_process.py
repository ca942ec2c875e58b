"""The trainer as a process of its own: started, watched and killed with all its children."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ERRORS, OUTPUT = "errors.txt", "output.txt"
LOG_BYTES = 12_000


def trainer_command(arguments: Sequence[str], devices: int = 0) -> list[str]:
    """``python -m training.reflayer.train``, by ``accelerate launch`` where there are several devices."""
    if devices < 2:
        return [sys.executable, "-m", "training.reflayer.train", *arguments]
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(devices)]
    return [sys.executable, *launch, "--module", "training.reflayer.train", *arguments]


def cuda_devices() -> int:
    import torch

    return torch.cuda.device_count()


class TrainerProcess:
    """Its standard input stays open as long as we live: when it closes, the trainer ends by itself."""

    def __init__(self, command: Sequence[str], out: Path, root: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.out = out
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
        # One core is left for those who work beside it; the count is the same each time, and so are the sums.
        environment["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) - 1))
        with (out / OUTPUT).open("wb") as output, (out / ERRORS).open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                cwd=out,
                env=environment,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        """Exit status, below 0 for a signal; ``None`` while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self) -> None:
        """At once, with everything it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def document(self) -> dict[str, Any]:
        """The line of JSON with which it ended; empty when there is none."""
        lines = (self.out / OUTPUT).read_text(errors="replace").strip().splitlines()
        try:
            document = json.loads(lines[-1]) if lines else {}
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def log(self) -> str:
        return log_tail(self.out)


def log_tail(out: Path) -> str:
    """The last lines that trainers wrote to standard error in this folder."""
    path = out / ERRORS
    if not path.exists():
        return ""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_BYTES))
        text = file.read().decode(errors="replace").replace("\0", "")
    return text if size <= LOG_BYTES else text.partition("\n")[2]
