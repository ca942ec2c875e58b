"""The database server as it looks to others when it restarts: every connection to it is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, close_old_connections

from tests.services import database_url

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def cut_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(CUT)


@contextmanager
def falls_over_the_restart() -> Iterator[None]:
    """What works in here loses its connection; afterwards there is a new one, as for a worker's next task."""
    with pytest.raises((OperationalError, InterfaceError)):
        yield
    close_old_connections()


@contextmanager
def database_restarts_at(monkeypatch: pytest.MonkeyPatch, spot: str, call: int = 1) -> Iterator[None]:
    """Within, the database restarts just before the ``call``th call of ``spot``, a dotted path."""
    url, real, calls = database_url(), _found(spot), iter(range(1, call))
    restarts: list[str] = []

    def restarting(*args: Any, **kwargs: Any) -> Any:
        if next(calls, None) is None and not restarts:
            restarts.append(spot)
            cut_connections(url)
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(spot, restarting)
        with falls_over_the_restart():
            yield
    assert restarts, f"{spot} was not reached"


def _found(spot: str) -> Callable[..., Any]:
    """As ``monkeypatch.setattr`` finds it: a module, then attributes of attributes."""
    module, names = spot, list[str]()
    while True:
        module, _, name = module.rpartition(".")
        names.insert(0, name)
        try:
            found: Any = import_module(module)
        except ModuleNotFoundError:
            continue
        for name in names:
            found = getattr(found, name)
        return found
