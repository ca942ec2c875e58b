"""Drafts of repairs do not stay for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from engine.models import Layer, LayerStatus, Project, Repair
from engine.selectors.repairs import end_of
from engine.services.drafts import forget_old_drafts
from engine.services.repairs import open_repair
from engine.tasks import forget_drafts
from tests.factories import make_image, make_layer


@pytest.fixture
def draft(project: Project, bob: Any) -> Repair:
    return open_repair(user=bob, layer=make_layer(make_image(project)))[0]


def touched(draft: Repair, *, days_ago: float) -> Repair:
    """The last stroke was so long ago."""
    Repair.objects.filter(pk=draft.pk).update(updated_at=timezone.now() - timedelta(days=days_ago))
    draft.refresh_from_db()
    return draft


def mended_by(user: Any, layer: Layer, *, hours_ago: float) -> None:
    Layer.objects.filter(pk=layer.pk).update(status=LayerStatus.SUPERSEDED)
    version = make_layer(layer.image, author=user, replaces=layer, origin=layer.producer)
    Layer.objects.filter(pk=version.pk).update(created_at=timezone.now() - timedelta(hours=hours_ago))


def test_a_draft_goes_thirty_days_after_its_last_stroke(draft: Repair) -> None:
    assert end_of(touched(draft, days_ago=30.1)) < timezone.now()
    assert forget_old_drafts() == 1
    assert not Repair.objects.exists()


def test_a_draft_stays_until_then(draft: Repair) -> None:
    assert end_of(touched(draft, days_ago=29.9)) > timezone.now()
    assert forget_old_drafts() == 0


def test_the_setting_says_how_many_days(draft: Repair, settings: Any) -> None:
    settings.DRAFT_DAYS = 2
    touched(draft, days_ago=3)
    forget_drafts()
    assert not Repair.objects.exists()


def test_a_draft_goes_a_day_after_somebody_else_mended_the_layer(draft: Repair, alice: Any) -> None:
    mended_by(alice, draft.layer, hours_ago=25)
    assert forget_old_drafts() == 1


def test_for_that_day_its_author_is_told(draft: Repair, alice: Any) -> None:
    mended_by(alice, draft.layer, hours_ago=23)
    assert forget_old_drafts() == 0


def test_what_was_handed_in_stays(project: Project, bob: Any, draft: Repair) -> None:
    made = make_layer(draft.layer.image, author=bob, replaces=draft.layer, origin=draft.layer.producer)
    Repair.objects.filter(pk=draft.pk).update(status="submitted", result=made, client_id="one")
    Layer.objects.filter(pk=draft.layer_id).update(status=LayerStatus.SUPERSEDED)
    touched(draft, days_ago=400)
    assert forget_old_drafts() == 0
