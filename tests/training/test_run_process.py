"""A training run as a process: alone in its folder, gone with its parent, clear about a full disk."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from training.run_process import alone_in, is_disk_full


def test_two_runs_never_train_in_one_folder(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with alone_in(tmp_path):
            order.append("second")

    with alone_in(tmp_path):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join(60)
    assert order == ["first", "second"]


def test_processes_of_one_launch_do_not_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with alone_in(tmp_path):
        monkeypatch.setenv("LOCAL_RANK", "1")
        with alone_in(tmp_path):
            pass


def test_a_process_ends_when_whoever_started_it_is_gone() -> None:
    code = "import time; from training.run_process import end_with_parent; end_with_parent(); time.sleep(600)"
    root = Path(__file__).parents[2]
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=root)
    assert child.poll() is None
    child.stdin.close()
    assert child.wait(120) == 1


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (RuntimeError("I/O error: No space left on device (os error 28)"), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (RuntimeError("shape mismatch"), False),
    ],
)
def test_a_full_disk_is_known_however_it_is_said(error: Exception, is_full: bool) -> None:
    assert is_disk_full(error) is is_full
