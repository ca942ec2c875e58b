from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import AuditVerb, Rework, Slot
from annotation.sampling import Priority
from annotation.selectors.reviewing import layer_history, rework_for
from annotation.services.claims import claim
from annotation.services.rework import close_rework, return_to_author
from annotation.services.slots import open_slots
from engine.models import Layer, LayerStatus, Producer, Project, Role
from engine.refusals import Refusal
from tests.annotation.judging import claim_one, make_annotators
from tests.conftest import client_of
from tests.factories import join, make_image, make_layer, make_user


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


@pytest.fixture
def ben(project: Project) -> Any:
    return make_annotators(project, "ben")[0]


@pytest.fixture
def repaired(project: Project, anna: Any) -> Layer:
    by_hand = Producer.objects.create(kind=Producer.Kind.PERSON, name="by hand")
    return make_layer(make_image(project), producer=by_hand, author=anna, status=LayerStatus.REJECTED)


def test_nobody_judges_their_own_repair_and_others_get_it_first(
    project: Project, anna: Any, ben: Any, repaired: Layer
) -> None:
    Layer.objects.filter(pk=repaired.pk).update(status=LayerStatus.READY)
    other = make_layer(repaired.image, depth=1)
    open_slots(project)
    assert Slot.objects.get(layer=repaired).priority == Priority.RETURNED
    assert [slot.layer_id for slot in claim(user=anna, project=project, count=5)] == [other.pk]
    assert claim_one(ben, project).layer_id == repaired.pk


def test_returned_work_is_the_authors_until_the_deadline_and_then_anybodys(
    project: Project, anna: Any, ben: Any, repaired: Layer, alice: Any
) -> None:
    rework = return_to_author(layer=repaired, reviewer=alice, reason="A halo at the hair.")
    assert timedelta(hours=47) < rework.deadline_at - timezone.now() < timedelta(hours=49)
    assert (list(rework_for(anna, project)), list(rework_for(ben, project))) == ([rework], [])
    Rework.objects.update(deadline_at=timezone.now())
    assert list(rework_for(ben, project)) == [rework]


def test_a_new_version_closes_the_rework_once(project: Project, anna: Any, repaired: Layer, alice: Any) -> None:
    return_to_author(layer=repaired, reviewer=alice, reason="A halo.")
    better = make_layer(repaired.image, depth=1, author=anna)
    assert close_rework(layer=repaired, replaced_by=better, actor=anna)
    assert not close_rework(layer=repaired, replaced_by=better, actor=anna)
    assert list(rework_for(anna, project)) == []
    assert [row["what"] for row in layer_history(repaired)] == [AuditVerb.RETURNED, AuditVerb.REWORKED]


def test_a_layer_is_returned_once_at_a_time(repaired: Layer, alice: Any) -> None:
    return_to_author(layer=repaired, reviewer=alice, reason="A halo.")
    with pytest.raises(Refusal) as refused:
        return_to_author(layer=repaired, reviewer=alice, reason="Still a halo.")
    assert refused.value.code == "already_returned"


@pytest.mark.parametrize(
    ("change", "reason", "code"),
    [
        ({"author": None}, "A halo.", "no_author"),
        ({"status": LayerStatus.ACCEPTED}, "A halo.", "not_rejected"),
        ({}, "  ", "no_reason"),
    ],
)
def test_what_cannot_be_returned(repaired: Layer, alice: Any, change: dict[str, Any], reason: str, code: str) -> None:
    for name, value in change.items():
        setattr(repaired, name, value)
    with pytest.raises(Refusal) as refused:
        return_to_author(layer=repaired, reviewer=alice, reason=reason)
    assert refused.value.code == code


def test_a_reviewer_returns_over_the_api_and_the_author_finds_it(project: Project, anna: Any, repaired: Layer) -> None:
    rita = make_user("rita")
    join(rita, project, Role.REVIEWER)
    url, asked = f"/api/layers/{repaired.pk}/return/", {"reason": "A halo."}
    assert client_of(anna).post(url, asked, format="json").status_code == 403
    assert client_of(rita).post(url, asked, format="json").status_code == 201
    [found] = client_of(anna).get(f"/api/reworks/?project={project.slug}").json()["reworks"]
    assert (found["layer"], found["reason"]) == (str(repaired.pk), "A halo.")
