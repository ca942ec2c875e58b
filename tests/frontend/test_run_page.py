"""The run page says without JavaScript what happened, leads to every picture, and lets curators act."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from engine.models import ItemStatus, LayerStatus, Project, Role, RunStatus
from tests.engine.runs import give, make_run, make_worker, report
from tests.factories import join, make_layer, make_user
from tests.frontend.csv_files import csv_of


def page_of(client: Client, run: Any, query: str = "") -> str:
    answer = client.get(f"/runs/{run.id}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def cells(html: str, stage: str) -> list[str]:
    """The row of a stage in the funnel's table."""
    table = html.split('id="funnel-table"')[1].split("</table>")[0]
    return re.findall(r"<td[^>]*>([^<]*)</td>", table.split(f"<td>{stage}</td>")[1].split("</tr>")[0])


@pytest.fixture
def run(project: Project) -> Any:
    """Four pictures: one dropped in the pre-filter, one failed in scene, two waiting."""
    run = make_run(project, pictures=4)
    blurred, broken, *kept = run.items.order_by("created_at", "id")
    report(blurred, "prefilter", outcome="dropped", reason="low_entropy", seconds=0.25)
    run.items.filter(pk=blurred.pk).update(status=ItemStatus.DROPPED, stages_done=1)
    for item in (broken, *kept):
        report(item, "prefilter", seconds=0.25)
    report(broken, "scene", outcome="failed", reason="ValueError: <no pixels>")
    run.items.filter(pk=broken.pk).update(status=ItemStatus.FAILED, stages_done=1)
    return run


def test_the_funnel_stands_in_a_table(as_bob: Client, run: Any) -> None:
    html = page_of(as_bob, run)
    assert cells(html, "Pre-filter")[:4] == ["4", "3", "1", "0"]
    assert cells(html, "Scene understanding")[:4] == ["1", "0", "0", "1"]
    assert cells(html, "Pre-filter")[-4:-2] == ["0.25 s", "1.00 s"]


def test_the_papers_figures_stand_beside_ours(as_bob: Client, run: Any) -> None:
    html = page_of(as_bob, run)
    assert "paper: 86.1 % kept" in html
    assert "paper: 74.7 %" in html
    assert "paper: 70.2 %" in html


def test_reasons_lead_to_their_pictures(as_bob: Client, run: Any) -> None:
    html = page_of(as_bob, run)
    (href,) = re.findall(r'href="(\?stage=prefilter&amp;outcome=dropped&amp;reason=[^"]*)#pictures"', html)
    shown = page_of(as_bob, run, href.replace("&amp;", "&"))
    assert shown.count('class="tile"') == 1
    assert "dropped: low entropy" in shown


def test_a_failure_is_told_and_escaped(as_bob: Client, run: Any) -> None:
    shown = page_of(as_bob, run, "?stage=scene&outcome=failed")
    assert "ValueError: &lt;no pixels&gt;" in shown
    assert "<no pixels>" not in shown


def test_dropped_layers_are_shown_with_their_reason(as_bob: Client, project: Project) -> None:
    run = make_run(project, pictures=1)
    item = run.items.get()
    layer = make_layer(item.image, item=item, label="mug", status=LayerStatus.DROPPED, drop_reason="all_soft")
    report(item, "postfilter", layers_in=2, layers_out=1, dropped_layers={layer.key: "all_soft"})
    shown = page_of(as_bob, run, "?stage=postfilter&outcome=layers&reason=all_soft")
    assert "mug" in shown
    assert layer.thumbnail.url in shown


def test_pictures_come_in_pages(as_bob: Client, project: Project) -> None:
    run = make_run(project, pictures=26)
    for item in run.items.all():
        report(item, "prefilter")
    first, second = page_of(as_bob, run), page_of(as_bob, run, "?stage=prefilter&page=2")
    assert (first.count('class="tile"'), second.count('class="tile"')) == (24, 2)
    assert "25 to 26 of 26" in second


def test_previews_are_shown(as_bob: Client, run: Any) -> None:
    assert run.stage_runs.get(outcome="dropped").preview.url in page_of(as_bob, run, "?stage=prefilter")


@pytest.mark.parametrize(
    "query",
    ["?stage=nonsense", "?page=99", "?outcome=x&reason=y", "?page=-1", "?reason=%00", "?outcome=layers&reason=%00"],
)
def test_nonsense_in_the_address_does_no_harm(as_bob: Client, run: Any, query: str) -> None:
    page_of(as_bob, run, query)


def test_a_silent_worker_raises_an_alarm(as_bob: Client, run: Any, settings: Any) -> None:
    give(run.items.filter(status="queued").first(), make_worker("cpu-7", silent_s=settings.LEASE_S + 40))
    assert "cpu-7 has sent no heartbeat" in page_of(as_bob, run)


def test_a_run_without_workers_says_so(as_bob: Client, run: Any) -> None:
    assert "No worker that could take them is heard" in page_of(as_bob, run)
    make_worker("cpu-0")
    assert "No worker that could take them is heard" not in page_of(as_bob, run)


def test_strangers_get_404(as_charlie: Client, run: Any) -> None:
    item = run.items.first()
    paths = [f"/runs/{run.id}/", f"/runs/{run.id}/pictures/{item.id}/"]
    assert [as_charlie.get(path).status_code for path in paths] == [404, 404]
    assert as_charlie.post(f"/runs/{run.id}/cancel/").status_code == 404


def test_nobody_is_sent_to_sign_in(client: Client, run: Any) -> None:
    assert client.get(f"/runs/{run.id}/").headers["Location"].startswith("/sign-in/")


def test_annotators_look_but_cannot_act(as_bob: Client, run: Any) -> None:
    assert "Cancel run" not in page_of(as_bob, run)
    assert as_bob.post(f"/runs/{run.id}/cancel/").status_code == 403
    assert as_bob.post(f"/runs/{run.id}/retry/").status_code == 403
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


def test_curators_cancel(project: Project, run: Any, client: Client) -> None:
    dana = make_user("dana")
    join(dana, project, Role.CURATOR)
    client.force_login(dana)
    assert "Cancel run" in page_of(client, run)
    assert client.post(f"/runs/{run.id}/cancel/").status_code == 302
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_a_finished_run_offers_to_retry_what_failed(as_alice: Client, run: Any) -> None:
    run.items.filter(status="queued").update(status=ItemStatus.FINISHED)
    type(run).objects.filter(pk=run.pk).update(status=RunStatus.FINISHED)
    html = page_of(as_alice, run)
    assert "Retry 1" in html
    assert "Cancel run" not in html
    answer = as_alice.post(f"/runs/{run.id}/retry/", follow=True)
    assert "1 queued again" in answer.content.decode()
    assert run.items.filter(status="queued").count() == 1


def test_cancelling_twice_is_told(as_alice: Client, run: Any) -> None:
    as_alice.post(f"/runs/{run.id}/cancel/")
    answer = as_alice.post(f"/runs/{run.id}/cancel/", follow=True)
    assert "over already" in answer.content.decode()


def test_one_picture_is_shown_stage_by_stage(as_bob: Client, run: Any) -> None:
    broken = run.items.get(status="failed")
    html = as_bob.get(f"/runs/{run.id}/pictures/{broken.id}/").content.decode()
    assert broken.image.original_name in html
    assert html.count("Not reached.") == 4
    assert "ValueError" in html


def test_a_picture_of_another_run_is_not_there(as_bob: Client, run: Any, project: Project) -> None:
    other = make_run(project, pictures=1).items.get()
    assert as_bob.get(f"/runs/{run.id}/pictures/{other.id}/").status_code == 404


def test_the_page_takes_the_same_queries_for_any_size(
    as_bob: Client, project: Project, django_assert_max_num_queries: Any
) -> None:
    run = make_run(project, pictures=8)
    for item in run.items.all():
        report(item, "prefilter")
    with django_assert_max_num_queries(22):
        page_of(as_bob, run)


def test_layers_that_people_vote_on_are_shown_beside_their_recipe_to_curators_only(
    as_alice: Client, as_bob: Client, project: Project
) -> None:
    run = make_run(project, pictures=1)
    item = run.items.get()
    voted = make_layer(item.image, status=LayerStatus.ACCEPTED, item=item)
    make_layer(item.image, depth=1, status=LayerStatus.DROPPED, drop_reason="fragmented", item=item)
    address = f"/runs/{run.id}/pictures/{item.pk}/"
    assert ">accepted</span>" in as_alice.get(address).content.decode()
    html = as_bob.get(address).content.decode()
    assert "accepted" not in html
    assert voted.thumbnail.url not in html
    assert ">dropped: fragmented</span>" in html


def test_the_funnel_and_what_people_accept_come_as_csv(as_bob: Client, run: Any) -> None:
    funnel = csv_of(as_bob, f"/runs/{run.id}/?csv=funnel")
    assert [row["Stage"] for row in funnel][:2] == ["Pre-filter", "Scene understanding"]
    assert sum(int(row["Failed"]) for row in funnel) == 1
    assert [row["Layers"] for row in csv_of(as_bob, f"/runs/{run.id}/?csv=people")] == ["foreground", "background"]
    assert as_bob.get(f"/runs/{run.id}/?csv=nothing").status_code == 404
