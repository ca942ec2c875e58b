"""What reviewers look through beside the disputes: flags, doubtful layers, a layer's history; and the list of runs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from annotation.models import AuditEvent, GoldItem, Rework, Verdict
from annotation.selectors.flags import flagged_verdicts
from annotation.services.adjudications import decide, open_adjudication
from annotation.services.needs import change_needed_judgements
from annotation.services.verdicts import undo
from engine.models import Layer, LayerStatus, Project, Role
from tests.annotation.judging import claim_one, judge, make_annotators, make_layers, set_layer
from tests.engine.runs import make_run
from tests.factories import join, make_image, make_layer, make_producer, make_user


@pytest.fixture
def rita(project: Project) -> Any:
    user = make_user("rita")
    join(user, project, Role.REVIEWER)
    return user


@pytest.fixture
def as_rita(rita: Any) -> Client:
    client = Client()
    client.force_login(rita)
    return client


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_flagged_layers_are_listed_with_the_note_until_taken_back(project: Project, anna: Any, as_rita: Client) -> None:
    make_layers(project, 3)
    flag = judge(anna, claim_one(anna, project), "accept", note="⚑ whose <hand>?")
    judge(anna, claim_one(anna, project), "accept", note="no flag ⚑")
    html = shown(as_rita, f"/projects/{project.slug}/flagged/")
    assert "whose &lt;hand&gt;?" in html
    assert "no flag" not in html
    assert f"/layers/{flag.layer_id}/history/" in html
    undo(user=anna, verdict=flag)
    assert "Nobody flagged a layer" in shown(as_rita, f"/projects/{project.slug}/flagged/")


def test_a_flag_that_was_dealt_with_waits_no_longer_and_may_wait_again(
    project: Project, anna: Any, rita: Any, as_rita: Client
) -> None:
    make_layers(project, 1)
    flag = judge(anna, claim_one(anna, project), "accept", note="⚑ whose hand?")
    address = f"/projects/{project.slug}/flagged/"
    assert as_rita.post(f"/flags/{flag.pk}/", {"seen": "1"}).status_code == 302
    assert "Nobody flagged a layer" in shown(as_rita, address)
    assert "seen by rita" in shown(as_rita, f"{address}?seen=1")
    as_rita.post(f"/flags/{flag.pk}/", {"waiting": "1"})
    assert "whose hand?" in shown(as_rita, address)


def test_only_reviewers_deal_with_flags_and_only_flags_are_dealt_with(
    project: Project, anna: Any, as_rita: Client
) -> None:
    make_layers(project, 2)
    flag = judge(anna, claim_one(anna, project), "accept", note="⚑ whose hand?")
    plain = judge(anna, claim_one(anna, project), "accept")
    as_anna, as_stranger = Client(), Client()
    as_anna.force_login(anna)
    as_stranger.force_login(make_user("stranger"))
    assert as_anna.post(f"/flags/{flag.pk}/", {"seen": "1"}).status_code == 403
    assert as_stranger.post(f"/flags/{flag.pk}/", {"seen": "1"}).status_code == 404
    assert as_rita.post(f"/flags/{plain.pk}/", {"seen": "1"}).status_code == 404
    assert list(flagged_verdicts(project)) == [flag]


def test_flags_are_found_by_their_own_index(project: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    plan = flagged_verdicts(project).values("pk").order_by("-created_at", "-id").explain()
    assert "flagged_verdicts" in plan


def test_little_work_has_no_doubtful_layers_yet(project: Project, as_rita: Client) -> None:
    assert "Too little to learn from" in shown(as_rita, f"/projects/{project.slug}/doubtful/")


def test_doubtful_layers_lead_to_their_history(
    project: Project, as_rita: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    [layer] = make_layers(project, 1)
    row = {"layer": layer.pk, "label": layer.label, "status": "accepted", "quality": 0.4321}
    monkeypatch.setattr("frontend.views.reviewing.doubtful_layers", lambda project: [row])
    html = shown(as_rita, f"/projects/{project.slug}/doubtful/")
    assert "43.2 %" in html
    assert f"/layers/{layer.pk}/history/" in html


def test_a_history_tells_everything_in_order(project: Project, anna: Any, rita: Any, as_rita: Client) -> None:
    [layer] = make_layers(project, 1)
    slot = undo(user=anna, verdict=judge(anna, claim_one(anna, project), "reject", defects=[{"kind": "halo"}]))
    judge(anna, slot, "unsure", note="hair?")
    open_adjudication(Layer.objects.get(pk=layer.pk), "unsure")
    decide(adjudication_id=layer.adjudications.get().pk, reviewer=rita, ruling="accept", note="it is fine")
    html = shown(as_rita, f"/layers/{layer.pk}/history/")
    told = ["rejects", "taken back", "Halo", "Took the verdict back: reject", "is unsure", "hair?"]
    told += ["A reviewer is asked, because of: unsure", "Ruling: accept", "it is fine"]
    places = [html.index(words) for words in told]
    assert places == sorted(places)


def test_every_act_about_a_layer_has_words(project: Project, rita: Any, as_rita: Client) -> None:
    [layer] = make_layers(project, 1)
    facts = {"reason": "conflict", "ruling": "reopen", "needed": 1, "person": "anna", "decision": "accept"}
    verbs = [verb for verb, _ in AuditEvent._meta.get_field("verb").choices or []]
    AuditEvent.objects.bulk_create(
        AuditEvent(project=project, layer_id=layer.pk, actor=rita, verb=verb, facts=facts) for verb in verbs
    )
    set_layer(layer, LayerStatus.ACCEPTED)
    html = shown(as_rita, f"/layers/{layer.pk}/history/")
    assert html.count("by rita") == len(verbs)
    assert "_" not in html.split('class="timeline"')[1].split("</ol>")[0]


def test_a_reviewer_whom_the_queue_may_still_ask_is_not_told_what_others_said(
    project: Project, anna: Any, rita: Any, alice: Any, as_rita: Client, as_alice: Client
) -> None:
    change_needed_judgements(project=project, needed=2)
    [layer] = make_layers(project, 1)
    judge(anna, claim_one(anna, project), "reject", note="a torn edge")
    address = f"/layers/{layer.pk}/history/"
    html = shown(as_rita, address)
    assert "a torn edge" not in html
    assert "the queue may still ask you" in html
    assert as_rita.get(f"/api/layers/{layer.pk}/history/").json() == {"history": [], "is_withheld": True}
    assert "a torn edge" in shown(as_alice, address)
    judge(rita, claim_one(rita, project), "accept")
    assert "a torn edge" in shown(as_rita, address)
    assert not as_rita.get(f"/api/layers/{layer.pk}/history/").json()["is_withheld"]


def test_a_reviewer_asked_about_a_dispute_is_told(project: Project, anna: Any, as_rita: Client) -> None:
    [layer] = make_layers(project, 1)
    judge(anna, claim_one(anna, project), "broken", note="half a picture")
    assert "half a picture" in shown(as_rita, f"/layers/{layer.pk}/history/")


def test_a_history_names_the_maker_to_curators_and_not_to_reviewers(
    project: Project, as_rita: Client, as_alice: Client
) -> None:
    image, maker = make_image(project), make_producer("secret-network")
    first = make_layer(image, status=LayerStatus.SUPERSEDED, producer=maker)
    last = make_layer(image, author=make_user("zoe"), replaces=first, producer=maker, origin=maker)
    for layer in (first, last):
        assert "secret-network" not in shown(as_rita, f"/layers/{layer.pk}/history/")
        assert "secret-network" in shown(as_alice, f"/layers/{layer.pk}/history/")


def test_a_history_shows_all_versions(project: Project, anna: Any, as_rita: Client) -> None:
    image = make_image(project)
    first = make_layer(image, status=LayerStatus.SUPERSEDED)
    second = make_layer(image, author=anna, replaces=first, origin=first.producer)
    for layer in (first, second):
        html = shown(as_rita, f"/layers/{layer.pk}/history/")
        assert f"/layers/{first.pk}/history/" in html
        assert f"/layers/{second.pk}/history/" in html
        assert "mended by anna" in html


def test_a_reviewer_returns_work_and_makes_gold_from_the_history(project: Project, anna: Any, as_rita: Client) -> None:
    layer = make_layer(make_image(project), status=LayerStatus.REJECTED, author=anna)
    address = f"/layers/{layer.pk}/history/act/"
    assert b"Say what should be better." in as_rita.post(address, {"act": "return", "text": " "}, follow=True).content
    assert b"Returned to anna." in as_rita.post(address, {"act": "return", "text": "A halo."}, follow=True).content
    assert Rework.objects.get().reason == "A halo."
    as_rita.post(address, {"act": "gold", "text": "clearly torn"})
    assert (GoldItem.objects.get().is_acceptable, GoldItem.objects.get().note) == (False, "clearly torn")
    assert b"There is no such act." in as_rita.post(address, {"act": "burn"}, follow=True).content


def test_below_reviewer_none_of_it_is_shown(project: Project, bob: Any, charlie: Any) -> None:
    [layer] = make_layers(project, 1)
    set_layer(layer, LayerStatus.ACCEPTED)
    for user, status in ((bob, 403), (charlie, 404)):
        client = Client()
        client.force_login(user)
        for page in ("doubtful", "flagged"):
            assert client.get(f"/projects/{project.slug}/{page}/").status_code == status
        assert client.get(f"/layers/{layer.pk}/history/").status_code == status
        assert client.post(f"/layers/{layer.pk}/history/act/", {"act": "gold"}).status_code == status
    assert not GoldItem.objects.exists()


def test_all_runs_are_listed_for_members(project: Project, as_bob: Client, as_charlie: Client) -> None:
    assert "No run yet" in shown(as_bob, f"/projects/{project.slug}/runs/")
    runs = [make_run(project, pictures=1) for _ in range(2)]
    html = shown(as_bob, f"/projects/{project.slug}/runs/")
    assert all(f"/runs/{run.pk}/" in html for run in runs)
    assert as_charlie.get(f"/projects/{project.slug}/runs/").status_code == 404
    assert not Verdict.objects.exists()
