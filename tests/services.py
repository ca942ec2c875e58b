"""Services a test may need beside PostgreSQL: skip and say what is missing, or fail where all are required."""

from __future__ import annotations

import os
from typing import NoReturn
from urllib.parse import quote

import pytest
from django.db import connection

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


def missing(what: str) -> NoReturn:
    """Skip the test; with ``RLD_REQUIRE_SERVICES=1`` fail it."""
    if os.environ.get("RLD_REQUIRE_SERVICES") == "1":
        pytest.fail(f"RLD_REQUIRE_SERVICES=1, but {what}")
    pytest.skip(what)


def database_url() -> str:
    """The test database, for a process of its own."""
    connection.ensure_connection()
    info = connection.connection.info
    login = quote(info.user) + (f":{quote(info.password)}" if info.password else "")
    return f"postgresql://{login}@{quote(info.host, safe='')}:{info.port}/{info.dbname}"
