"""The dashboard by role, its numbers against rows counted one by one, its CSV, its acts and its cost in queries."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import BulkAct, Slot, SlotStatus, Verdict
from annotation.selectors.dashboard import queue_state
from annotation.selectors.dashboard_alarms import alarms
from annotation.services.claims import claim
from annotation.services.slots import open_slots
from engine.models import EngineRun, Layer, LayerStatus, Project, Role, Worker
from frontend.views.dashboard_rows import Dashboard
from tests.annotation.judging import judge, make_annotators, make_layers
from tests.engine.runs import make_run, report
from tests.factories import join, make_image, make_layer, make_producer, make_user
from tests.frontend.csv_files import csv_of
from tests.frontend.working_days import fill

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_agreement() -> None:
    cache.clear()


@pytest.fixture
def busy(project: Project) -> Project:
    fill(project, pictures=40, judged=90)
    return project


def page_of(user: Any, project: Project, query: str = "") -> Any:
    client = Client()
    client.force_login(user)
    return client.get(f"/projects/{project.slug}/dashboard/{query}")


def rows_of(client: Any, project: Project, table: str, query: str = "?range=project") -> list[dict[str, str]]:
    return csv_of(client, f"/projects/{project.slug}/dashboard/{table}.csv{query}")


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.ADMIN, 200), (Role.CURATOR, 200), (Role.REVIEWER, 403), (Role.ANNOTATOR, 403), (None, 404)],
)
def test_curators_and_admins_may_look(project: Project, role: str | None, status: int) -> None:
    user = make_user("somebody")
    if role:
        join(user, project, role)
    assert page_of(user, project).status_code == status


def test_people_are_compared_for_admins_only(busy: Project, alice: Any) -> None:
    curator = make_user("curator")
    join(curator, busy, Role.CURATOR)
    assert "Mira Okafor" in page_of(alice, busy, "?range=project").content.decode()
    shown = page_of(curator, busy, "?range=project").content.decode()
    assert "Okafor" not in shown
    assert "mira" not in shown
    client = Client()
    client.force_login(curator)
    assert client.get(f"/projects/{busy.slug}/dashboard/people.csv").status_code == 404


@pytest.mark.parametrize("range_", ["day", "week", "project"])
def test_numbers_equal_the_verdicts_counted_one_by_one(busy: Project, range_: str) -> None:
    board = Dashboard(busy, range_, compares=True)
    inside = [v for v in Verdict.objects.all() if board.since is None or v.created_at >= board.since]
    assert board.decisions == Counter(verdict.decision for verdict in inside)
    assert board.active_ms == sum(verdict.active_ms for verdict in inside)
    worked = Counter(verdict.annotator.get_full_name() for verdict in inside)
    assert {p.user.get_full_name(): p.decisions for p in board.people} == worked
    assert sum(sum(values) for _, values in board.series) == len(inside)
    kinds = Counter(defect["kind"] for verdict in inside for defect in verdict.defects)
    assert dict(board.defects) == kinds


def test_layers_and_queue_equal_the_rows_counted_one_by_one(busy: Project, bob: Any) -> None:
    claim(user=bob, project=busy, count=3)
    Slot.objects.filter(holder=bob).update(available_at=timezone.now() - timedelta(seconds=1))
    claim(user=make_annotators(busy, "anna")[0], project=busy, count=2)
    board = Dashboard(busy, "project", compares=True)
    states = Counter(Slot.objects.values_list("status", flat=True))
    assert (board.queue.open, board.queue.filled) == (states["open"], states["filled"])
    assert (board.queue.leased, board.queue.leased + board.queue.expired) == (2, states["leased"])
    for row in board.accepted["kind"]:
        found = Counter(Layer.objects.filter(kind=row.name).values_list("status", flat=True))
        assert (row.accepted, row.rejected, row.waiting) == (found["accepted"], found["rejected"], found["ready"])
    assert {row.name for row in board.accepted["category"]} == set(Layer.objects.values_list("label", flat=True))


def test_the_burndown_ends_with_what_is_left_and_begins_with_all(busy: Project) -> None:
    board = Dashboard(busy, "project", compares=False)
    days = [left for _, left in board.burndown.days]
    assert (days[0], days[-1]) == (Slot.objects.count(), board.queue.left)
    assert days == sorted(days, reverse=True)
    assert board.burndown.forecast is not None


def test_every_hour_of_the_range_is_there_also_without_work(busy: Project) -> None:
    now = datetime(2031, 5, 4, 12, 30, tzinfo=UTC)
    starts = Dashboard(busy, "day", compares=False, now=now).starts
    assert len(starts) == 25
    assert starts[-1] == now.replace(minute=0)
    assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(hours=1)}


def test_every_chart_has_its_numbers_as_csv(busy: Project, as_alice: Any) -> None:
    throughput = rows_of(as_alice, busy, "throughput")
    assert sum(int(row["All"]) for row in throughput) == Verdict.objects.count()
    assert sum(int(row["Decisions"]) for row in rows_of(as_alice, busy, "people")) == Verdict.objects.count()
    assert {row["State"]: row["Judgements"] for row in rows_of(as_alice, busy, "queues")}["filled"] == "90"
    by_kind = [row for row in rows_of(as_alice, busy, "acceptance") if row["By"] == "kind"]
    assert sum(int(row["Accepted"]) + int(row["Rejected"]) for row in by_kind) == 90
    assert rows_of(as_alice, busy, "defects")
    assert rows_of(as_alice, busy, "burndown")[-1]["Left"] == "30"
    run = make_run(busy, pictures=3)
    report(run.items.order_by("pk")[0], "prefilter", seconds=0.25)
    first, *_ = rows_of(as_alice, busy, "engine")
    assert (first["Stage"], first["Photos in"], first["Kept"], first["Median s"]) == ("Pre-filter", "1", "1", "0.25")


def test_every_chart_of_the_page_leads_to_its_table_and_csv(busy: Project, alice: Any) -> None:
    make_run(busy, pictures=1)
    html = page_of(alice, busy).content.decode()
    for name in ("throughput", "burndown", "defects", "acceptance", "queues", "engine"):
        assert f'id="{name}-table"' in html
        assert f"/dashboard/{name}.csv" in html
    assert "/dashboard/people.csv" in html


def test_layers_to_which_nobody_ever_came_raise_an_alarm(project: Project) -> None:
    make_layers(project, 1)
    open_slots(project)
    queue, now = queue_state(project), timezone.now()
    assert alarms(project, queue, now) == []
    [alarm] = alarms(project, queue, now + timedelta(hours=5))
    assert (alarm.code, alarm.title) == ("stalled_queue", "Layers wait for 5 h; nobody came.")


def test_an_unknown_table_is_not_found(project: Project, as_alice: Any) -> None:
    assert as_alice.get(f"/projects/{project.slug}/dashboard/secrets.csv").status_code == 404


def test_producers_are_called_letter_by_letter(project: Project, as_alice: Any) -> None:
    make_layer(make_image(project), producer=make_producer("cpu_auto@57aa2048"), status=LayerStatus.ACCEPTED)
    assert "cpu_auto@57aa2048" in [row["Group"] for row in rows_of(as_alice, project, "acceptance")]
    assert ">cpu_auto@57aa2048</span>" in as_alice.get(f"/projects/{project.slug}/dashboard/").content.decode()


def test_a_name_never_becomes_a_formula_of_a_spreadsheet(project: Project, as_alice: Any) -> None:
    make_layers(project, 1)
    Layer.objects.update(label="=1+1")
    names = [row["Group"] for row in rows_of(as_alice, project, "acceptance")]
    assert "'=1+1" in names
    assert "=1+1" not in names


def test_an_empty_project_says_so_instead_of_drawing_nothing(project: Project, alice: Any) -> None:
    shown = page_of(alice, project).content.decode()
    for text in (
        "Nobody decided anything",
        "begins with the first verdict",
        "No verdict names a defect",
        "has not run",
    ):
        assert text in shown


def test_an_unknown_range_is_the_day(project: Project, alice: Any) -> None:
    assert re.search(r'href="\?range=day" aria-current="page"', page_of(alice, project, "?range=x%00").content.decode())


def test_the_page_costs_the_same_queries_for_few_and_for_many(project: Project, alice: Any) -> None:
    fill(project, pictures=8, judged=6)
    client = Client()
    client.force_login(alice)
    counts = []
    for crowd in (["anna"], [f"new-{number}" for number in range(8)]):
        for user in make_annotators(project, *crowd):
            [slot] = claim(user=user, project=project, count=1)
            judge(user, slot, "reject", defects=[{"kind": "halo", "x": 1, "y": 1}])
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/projects/{project.slug}/dashboard/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 40


def test_a_stalled_queue_and_a_missing_worker_raise_alarms(project: Project, bob: Any, settings: Any) -> None:
    make_layers(project, 2)
    judge(bob, claim(user=bob, project=project)[0])
    queue = Dashboard(project, "day", compares=False).queue
    now = timezone.now()
    assert alarms(project, queue, now) == []
    assert [alarm.code for alarm in alarms(project, queue, now + timedelta(hours=6))] == ["stalled_queue"]
    make_run(project, pictures=1)
    assert "no_worker" in [alarm.code for alarm in alarms(project, queue, now)]
    Worker.objects.create(name="w", queue="cpu", started_at=now, heartbeat_at=now)
    assert alarms(project, queue, now) == []
    assert EngineRun.objects.exists()


def test_throughput_over_the_api_has_people_for_admins_and_sums_for_curators(
    busy: Project, as_alice: Any, as_bob: Any
) -> None:
    address = f"/api/stats/throughput/?project={busy.slug}"
    columns = as_alice.get(address).json()
    assert set(columns["person"]) <= {"mira", "jonas", "aiko", "priya", "tomás", "elif"}
    assert sum(columns["verdicts"]) == Verdict.objects.count()
    assert len({len(column) for column in columns.values() if isinstance(column, list)}) == 1
    assert as_bob.get(address).status_code == 403
    curator = make_user("curator")
    join(curator, busy, Role.CURATOR)
    client = Client()
    client.force_login(curator)
    summed = client.get(address).json()
    assert "person" not in summed
    assert sum(summed["verdicts"]) == Verdict.objects.count()


def test_an_admin_recalls_a_person_from_the_page(busy: Project, as_alice: Any, as_bob: Any) -> None:
    address = f"/projects/{busy.slug}/dashboard/act/?range=project"
    counted = Verdict.objects.filter(annotator__username="mira", is_counted=True)
    before = counted.count()
    body = {"act": "recall", "username": "mira", "scope": "project"}
    assert as_bob.post(address, body, format="multipart").status_code == 403
    assert counted.count() == before > 0
    shown = as_alice.post(address, body, format="multipart", follow=True)
    assert f"{before} decisions of Mira Okafor are taken back" in shown.content.decode()
    assert counted.count() == 0


def test_a_large_recall_shows_how_far_it_is_and_can_be_stopped(
    busy: Project, as_alice: Any, as_bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.services.bulk_acts.AT_ONCE", 1)
    body = {"act": "recall", "username": "mira", "scope": "project"}
    shown = as_alice.post(f"/projects/{busy.slug}/dashboard/act/", body, format="multipart", follow=True)
    html, act = shown.content.decode(), BulkAct.objects.get()
    assert "Begun: " in html
    assert f"0 of {act.layers} layers, 0 decisions taken back" in html
    address = f"/dashboard/acts/{act.pk}/cancel/"
    assert as_bob.post(address).status_code == 403
    assert "Stopped." in as_alice.post(address, follow=True).content.decode()
    assert BulkAct.objects.get().status == "cancelled"


def test_an_admin_releases_what_somebody_holds(project: Project, bob: Any, as_alice: Any) -> None:
    make_layers(project, 2)
    claim(user=bob, project=project, count=2)
    address = f"/projects/{project.slug}/dashboard/act/"
    as_alice.post(address, {"act": "release", "username": "bob"}, format="multipart")
    assert set(Slot.objects.values_list("status", flat=True)) == {SlotStatus.OPEN}


def test_chart_data_fits_together(busy: Project, alice: Any) -> None:
    shown = page_of(alice, busy, "?range=week").content.decode()
    data = json.loads(re.search(r'id="dashboard-data" type="application/json">(.*?)</script>', shown)[1])
    assert {len(series["values"]) for series in data["throughput"]["series"]} == {len(data["throughput"]["starts"])}
    assert len(data["burndown"]["times"]) == len(data["burndown"]["left"])
