"""Who gets which page, and what stands on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Verdict
from annotation.services import claims, verdicts
from engine.models import Project, Role
from frontend.selectors import day_of, queues_of, shell_of, waiting_for
from tests.factories import join, make_image, make_layer, make_user
from tests.frontend.csv_files import csv_of


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def judge(user: Any, project: Project, decision: str, active_ms: int = 2000) -> Verdict:
    [slot] = claims.claim(user=user, project=project)
    client_id = f"{decision}-{slot.pk}"
    verdict, _ = verdicts.record_verdict(
        user=user, slot=slot, decision=decision, client_id=client_id, active_ms=active_ms
    )
    return verdict


@pytest.mark.parametrize("address", ["/", "/projects/street-and-studio/review/"])
def test_somebody_who_is_not_signed_in_is_sent_to_sign_in(project: Project, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"] == f"/sign-in/?next={address}"


def test_a_stranger_is_told_that_there_is_no_such_page(project: Project, charlie: Any) -> None:
    answer = client_of(charlie).get("/projects/street-and-studio/review/")
    assert answer.status_code == 404
    assert b"There is no such page" in answer.content


def test_a_viewer_may_not_review(project: Project) -> None:
    vera = make_user("vera")
    join(vera, project, Role.VIEWER)
    answer = client_of(vera).get("/projects/street-and-studio/review/")
    assert answer.status_code == 403
    assert "This needs the role annotator" in answer.content.decode()


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER, Role.CURATOR, Role.ADMIN])
def test_annotators_and_above_review(project: Project, role: str) -> None:
    dora = make_user("dora")
    join(dora, project, role)
    answer = client_of(dora).get("/projects/street-and-studio/review/")
    assert answer.status_code == 200
    assert answer.cookies["csrftoken"].value


def test_pages_carry_no_inline_script_or_style(project: Project, bob: Any) -> None:
    make_layer(make_image(project))
    judge(bob, project, "accept")
    for address in ("/", "/projects/street-and-studio/review/"):
        text = client_of(bob).get(address).content.decode()
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        assert "<script>" not in text


def test_the_chart_of_the_own_day_has_its_table_and_csv(project: Project, bob: Any) -> None:
    make_layer(make_image(project))
    judge(bob, project, "accept")
    assert 'href="?csv=hours"' in client_of(bob).get("/").content.decode()
    rows = csv_of(client_of(bob), "/?csv=hours")
    assert len(rows) == 24
    assert [int(row["Decisions"]) for row in rows][-1] == 1
    assert client_of(bob).get("/?csv=others").status_code == 404


def test_home_says_what_to_do_when_somebody_is_in_no_project(charlie: Any) -> None:
    text = client_of(charlie).get("/").content.decode()
    assert "You are in no project yet" in text
    assert "<b>charlie</b>" in text


def test_home_shows_what_waits_and_what_was_decided(project: Project, bob: Any) -> None:
    for _ in range(3):
        make_layer(make_image(project))
    judge(bob, project, "accept")
    text = client_of(bob).get("/").content.decode()
    assert '<b class="num">2</b> layers wait for you, about 2 s each.' in text
    assert "You have judged 1 layer in the last 24 hours." in text
    assert 'href="/projects/street-and-studio/review/"' in text


def test_a_layer_waits_until_this_person_has_judged_it_or_another_holds_it(
    project: Project, alice: Any, bob: Any
) -> None:
    make_layer(make_image(project))
    make_layer(make_image(project))
    assert waiting_for(bob, project) == 2
    claims.claim(user=alice, project=project)
    assert waiting_for(bob, project) == 1
    assert waiting_for(alice, project) == 2
    judge(bob, project, "unsure")
    assert waiting_for(bob, project) == 0
    assert waiting_for(alice, project) == 2


def test_the_fullest_queue_comes_first_and_is_where_the_side_bar_leads(project: Project, bob: Any) -> None:
    fuller = Project.objects.create(name="Fuller", slug="fuller")
    join(bob, fuller, Role.ANNOTATOR)
    make_layer(make_image(fuller))
    assert [queue.project for queue in queues_of(bob)] == [fuller, project]
    review = next(place for place in shell_of(bob).places if place.name == "Review")
    assert (review.href, review.count) == ("/projects/fuller/review/", "1")


def test_a_viewer_has_no_review_in_the_side_bar(project: Project) -> None:
    vera = make_user("vera", first_name="Vera", last_name="Lind")
    join(vera, project, Role.VIEWER)
    shell = shell_of(vera)
    assert "Review" not in [place.name for place in shell.places]
    assert shell.initials == "VL"


def test_the_day_counts_hours_medians_and_leaves_out_what_was_undone_or_is_old(project: Project, bob: Any) -> None:
    for _ in range(4):
        make_layer(make_image(project))
    judge(bob, project, "accept", 1000)
    judge(bob, project, "reject", 3000)
    verdicts.undo(user=bob, verdict=judge(bob, project, "accept", 9000))
    old = judge(bob, project, "reject", 8000)
    Verdict.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=30))
    day = day_of(bob)
    assert (day.decisions, day.median_s, day.accepted_percent, day.unsure) == (2, 2.0, 50, 0)
    assert len(day.hours) == 24
    assert sum(count for _, count in day.hours) == 2


def test_a_day_without_decisions_has_no_numbers_made_up(bob: Any) -> None:
    day = day_of(bob)
    assert (day.decisions, day.median_s, day.accepted_percent) == (0, None, None)
