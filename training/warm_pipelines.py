"""Pipelines that stay loaded in a worker process, so that only the first answer waits for the files."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from training.reflayer.loading import load_pipeline

MOST = 2
"""So many checkpoints are kept; the one not asked for longest goes first."""

_kept: OrderedDict[tuple[str, tuple[tuple[int, int], ...]], Any] = OrderedDict()
_lock = threading.Lock()


def pipeline_of(folder: Path) -> Any:
    """The loaded pipeline; loaded again when the folder's files changed.

    Raises ``training.reflayer.checkpoint.BrokenCheckpoint``, and keeps nothing then.
    """
    stats = (path.stat() for path in sorted(folder.rglob("*")) if path.is_file())
    key = (str(folder), tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))
    with _lock:
        if key not in _kept:
            while len(_kept) >= MOST:
                _kept.popitem(last=False)
            _kept[key] = load_pipeline(folder, "cuda" if torch.cuda.is_available() else "cpu")
        _kept.move_to_end(key)
        return _kept[key]
