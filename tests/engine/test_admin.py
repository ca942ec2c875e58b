"""Django's admin shows every table of the data engine and lets nobody change a status in it."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from engine.models import Project
from tests.engine.runs import give, make_run, make_worker, report
from tests.factories import make_layer

LOOK_ONLY = ("sourceimage", "enginerun", "runitem", "stagerun", "layer", "producer", "worker", "apitoken")


@pytest.fixture
def operator(project: Project, client: Client) -> Client:
    run = make_run(project, pictures=2)
    report(run.items.first(), "prefilter")
    give(run.items.last(), make_worker())
    make_layer(run.items.first().image)
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("table", ["project", *LOOK_ONLY])
def test_every_table_can_be_looked_at(operator: Client, table: str) -> None:
    assert operator.get(f"/django-admin/engine/{table}/").status_code == 200


@pytest.mark.parametrize("table", LOOK_ONLY)
def test_no_row_can_be_added_by_hand(operator: Client, table: str) -> None:
    assert operator.get(f"/django-admin/engine/{table}/add/").status_code == 403
