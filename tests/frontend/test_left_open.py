"""What a person began or got back waits on the home page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.models import Rework
from engine.models import Layer, LayerStatus, Membership, Project, Repair
from engine.services.repairs import open_repair
from tests.annotation.judging import make_layers, set_layer
from tests.factories import make_image, make_layer


@pytest.fixture
def draft(project: Project, bob: Any) -> Repair:
    [layer] = make_layers(project, 1)
    return open_repair(user=bob, layer=layer)[0]


def home(client: Client) -> str:
    return client.get("/").content.decode()


def test_a_draft_is_listed_for_its_author_and_can_be_discarded(draft: Repair, as_alice: Client, as_bob: Client) -> None:
    address = f"/drafts/{draft.pk}/discard/"
    assert address in home(as_bob)
    assert f"/layers/{draft.layer_id}/repair/" in home(as_bob)
    assert "Left open" not in home(as_alice)
    assert as_alice.post(address).status_code == 404
    assert "The draft of ball is gone." in as_bob.post(address, follow=True).content.decode()
    assert not Repair.objects.exists()


def test_a_draft_says_until_when_it_is_kept(draft: Repair, as_bob: Client, settings: Any) -> None:
    settings.DRAFT_DAYS = 3
    ends = draft.updated_at + timedelta(days=3)
    assert f"kept until {ends:%-d %b}" in home(as_bob)


def test_a_draft_whose_layer_somebody_else_mended_can_only_be_discarded(draft: Repair, as_bob: Client) -> None:
    set_layer(draft.layer, LayerStatus.SUPERSEDED)
    html = home(as_bob)
    assert "Somebody else has mended it meanwhile." in html
    assert f"/layers/{draft.layer_id}/repair/" not in html


def test_somebody_who_left_the_project_finds_no_drafts_of_it(draft: Repair, bob: Any, as_bob: Client) -> None:
    Membership.objects.filter(user=bob).delete()
    assert "Left open" not in home(as_bob)


def test_returned_work_is_listed_with_reason_and_deadline(
    project: Project, alice: Any, bob: Any, as_bob: Client
) -> None:
    layer: Layer = make_layer(make_image(project), status=LayerStatus.REJECTED, author=bob)
    ends = timezone.now() + timedelta(days=2)
    Rework.objects.create(
        project=project, layer=layer, author=bob, reason="A <halo>.", deadline_at=ends, returned_by=alice
    )
    html = home(as_bob)
    assert "A &lt;halo&gt;." in html
    assert f"returned, until {ends.day} " in html
    set_layer(layer, LayerStatus.SUPERSEDED)
    assert "Left open" not in home(as_bob)
