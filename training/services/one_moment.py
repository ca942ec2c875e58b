"""The database as it is at one moment, for a reading that takes a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.db import connection, transaction
from psycopg import Connection

MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
MANY = """
SET LOCAL jit = off; SET LOCAL random_page_cost = 1.1; SET LOCAL work_mem = '64MB';
SET LOCAL max_parallel_workers_per_gather = 0
"""
"""Some thousand layers at a time are found by their indexes, sorted and grouped in memory; to compile such a query, or
to start workers for it, costs more than it. The second reader is what works beside the first."""


@contextmanager
def one_moment() -> Iterator[list[Connection[Any]]]:
    """All queries inside see the database as the first one did; yields all connections that do, this thread's first.

    A transaction of the caller keeps its own view, and as nobody else sees what it wrote, its one connection.
    """
    with transaction.atomic():
        # Whoever is in a transaction already has a savepoint now.
        if connection.savepoint_ids:
            yield [connection.connection]
            return
        with connection.cursor() as cursor, closing(connection.copy()) as second:
            cursor.execute(MOMENT)
            cursor.execute(MANY)
            cursor.execute("SELECT pg_export_snapshot()")
            (exported,) = cursor.fetchone()
            second.set_autocommit(False)
            with second.cursor() as other:
                other.execute(MOMENT)
                other.execute("SET TRANSACTION SNAPSHOT %s", [exported])
                other.execute(MANY)
            yield [connection.connection, second.connection]
