"""A training run as a process that others start: alone in its folder, gone with its parent, clear about a full disk."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
LOCK = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other run trains in the folder, and keep others waiting.

    Of the processes that accelerate has launched together the first one does it for all.
    """
    if os.environ.get("LOCAL_RANK", "0") != "0":
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def end_with_parent() -> None:
    """End this process at once when its standard input closes: whoever started it holds the other end and has died."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def is_disk_full(error: BaseException) -> bool:
    """Also as safetensors and torch say it, in words."""
    number = getattr(error, "errno", None)
    return number in FULL or any(f"os error {code})" in str(error) or os.strerror(code) in str(error) for code in FULL)
