"""The page of layers that people could not settle."""

from typing import Any

import pytest
from django.test import Client

from annotation.models import Adjudication
from engine.models import Layer, LayerStatus, Project, Role
from tests.annotation.judging import claim_one, judge, make_annotators, make_layers, status_of
from tests.factories import join, make_user


@pytest.fixture
def layer(project: Project) -> Layer:
    """In dispute, because Anna says that its picture is broken."""
    [layer] = make_layers(project, 1)
    [anna] = make_annotators(project, "anna")
    judge(anna, claim_one(anna, project), "broken", note="only <b>black</b>")
    return layer


@pytest.fixture
def rita(project: Project) -> Client:
    user = make_user("rita")
    join(user, project, Role.REVIEWER)
    client = Client()
    client.force_login(user)
    return client


def decide(client: Client, ruling: str, **more: str) -> Any:
    address = f"/disputes/{Adjudication.objects.get().pk}/decide/"
    return client.post(address, {"ruling": ruling, "note": "seen", **more}, follow=True)


def test_the_page_shows_what_was_said_and_the_project_leads_to_it(project: Project, layer: Layer, rita: Client) -> None:
    assert b'/disputes/">1 dispute<' in rita.get(f"/projects/{project.slug}/").content
    content = rita.get(f"/projects/{project.slug}/disputes/").content.decode()
    assert "Somebody says that the picture is broken." in content
    assert all(word in content for word in ("anna", "only &lt;b&gt;black&lt;/b&gt;", layer.rgba.url))


def test_defects_are_said_in_words(project: Project, rita: Client) -> None:
    make_layers(project, 1)
    [anna] = make_annotators(project, "anna")
    judge(anna, claim_one(anna, project), "broken", defects=[{"kind": "lost_shadow", "x": 9, "y": 9}])
    content = rita.get(f"/projects/{project.slug}/disputes/").content.decode()
    assert ">Lost shadow</span>" in content


@pytest.mark.parametrize(("ruling", "status"), [("accept", LayerStatus.ACCEPTED), ("reject", LayerStatus.REJECTED)])
def test_a_ruling_settles_the_layer(layer: Layer, rita: Client, ruling: str, status: str) -> None:
    answer = decide(rita, ruling)
    assert (status_of(layer), Adjudication.objects.get().note) == (status, "seen")
    assert b"Nobody disagrees at the moment" in answer.content


def test_a_ruling_may_become_a_gold_item(layer: Layer, rita: Client) -> None:
    decide(rita, "reject", gold="1")
    assert (layer.gold_item.is_acceptable, layer.gold_item.note) == (False, "seen")


def test_a_second_ruling_and_nonsense_are_refused_in_words(layer: Layer, rita: Client) -> None:
    assert b"Say accept, reject or reopen." in decide(rita, "maybe").content
    decide(rita, "accept")
    assert b"Another reviewer has decided." in decide(rita, "reject").content
    assert status_of(layer) == LayerStatus.ACCEPTED


def test_annotators_and_strangers_see_no_disputes(project: Project, layer: Layer, bob: Any, charlie: Any) -> None:
    for user, status in ((bob, 403), (charlie, 404)):
        client = Client()
        client.force_login(user)
        assert client.get(f"/projects/{project.slug}/disputes/").status_code == status
        assert decide(client, "accept").status_code == status
    assert status_of(layer) == LayerStatus.READY
