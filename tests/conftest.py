"""Fixtures every test may use. Alice owns a project, Bob judges in it, Charlie must see nothing of it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from engine.models import Project, Role
from tests.emptying import delete_all_rows
from tests.factories import join, make_project, make_user
from tests.workers import Start, workers


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Why a test is tried once more is told, also when it passes then."""
    if report.outcome == "rerun":
        print(f"\n{report.nodeid} is tried again:\n{report.longreprtext}")


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_deleting() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops.__class__, "sql_flush", delete_all_rows)
        yield


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Path) -> None:
    """No test writes into the home folder of the developer, needs collected static files or strong passwords."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATIC_ROOT = tmp_path
    settings.TRAINING_FOLDER = tmp_path / "training"
    settings.TRAINED_FOLDER = tmp_path / "checkpoints"
    settings.CHECKPOINT_FOLDERS = [settings.CHECKPOINT_FOLDERS[0], settings.TRAINED_FOLDER]
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": static}


@pytest.fixture
def project(db: None) -> Project:
    return make_project("Street and studio")


@pytest.fixture
def alice(project: Project) -> Any:
    user = make_user("alice", first_name="Alice")
    join(user, project, Role.ADMIN)
    return user


@pytest.fixture
def bob(project: Project) -> Any:
    user = make_user("bob", first_name="Bob")
    join(user, project, Role.ANNOTATOR)
    return user


@pytest.fixture
def charlie(db: None) -> Any:
    return make_user("charlie", first_name="Charlie")


def client_of(user: Any) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def as_alice(alice: Any) -> APIClient:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: Any) -> APIClient:
    return client_of(bob)


@pytest.fixture
def as_charlie(charlie: Any) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def many_connections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For tests with a connection for each of 64 people: one at a time, as PostgreSQL takes 100 from all processes."""
    with (tmp_path_factory.getbasetemp().parent / "many_connections.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Start]:
    with workers(tmp_path) as start:
        yield start
