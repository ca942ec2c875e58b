from __future__ import annotations

import pytest
from django.db import InternalError, connection, transaction
from psycopg import Connection
from psycopg.errors import ReadOnlySqlTransaction

from engine.models import Project
from tests.factories import make_project
from training.services.one_moment import one_moment


def projects(reader: Connection) -> int:
    with reader.cursor() as cursor:
        (found,) = cursor.execute("SELECT count(*) FROM engine_project").fetchone() or (None,)
    return int(found)


def test_all_readers_see_the_same_moment(transactional_db: None, project: Project) -> None:
    other = connection.copy()
    with one_moment() as readers:
        assert len({reader.info.backend_pid for reader in readers}) == 2
        with other.cursor() as cursor:
            cursor.execute("UPDATE engine_project SET name = 'later'")
        for reader in readers:
            with reader.cursor() as cursor:
                assert cursor.execute("SELECT name FROM engine_project").fetchall() == [(project.name,)]
    other.close()
    project.refresh_from_db()
    assert project.name == "later"


def test_no_reader_can_write(transactional_db: None, project: Project) -> None:
    for number in range(2):
        with pytest.raises((InternalError, ReadOnlySqlTransaction)), one_moment() as readers:
            readers[number].execute("UPDATE engine_project SET name = 'written'")
    project.refresh_from_db()
    assert project.name != "written"


def test_a_transaction_of_the_caller_keeps_its_own_view(transactional_db: None) -> None:
    with transaction.atomic():
        make_project("unseen by others")
        with one_moment() as readers:
            assert [projects(reader) for reader in readers] == [1]
