from typing import Any

import pytest

from annotation.models import AuditEvent, AuditVerb
from annotation.services.claims import claim
from annotation.services.people import set_assignee
from engine.models import Project, Role
from engine.refusals import Refusal
from tests.annotation.judging import claim_one, judge, make_annotators, make_layers
from tests.factories import join, make_user


@pytest.fixture
def anna(project: Project) -> Any:
    make_layers(project, 6)
    return make_annotators(project, "anna")[0]


def test_a_paused_person_is_told_so(project: Project, anna: Any) -> None:
    set_assignee(project=project, user=anna, is_paused=True)
    with pytest.raises(Refusal) as refused:
        claim(user=anna, project=project)
    assert (refused.value.code, refused.value.status) == ("paused", 403)
    set_assignee(project=project, user=anna, is_paused=False)
    assert claim(user=anna, project=project)


def test_a_paused_person_may_finish_what_was_begun(project: Project, anna: Any) -> None:
    slot = claim_one(anna, project)
    set_assignee(project=project, user=anna, is_paused=True)
    assert judge(anna, slot).is_counted


def test_a_cap_ends_the_day(project: Project, anna: Any) -> None:
    set_assignee(project=project, user=anna, daily_cap=2)
    for _ in range(2):
        judge(anna, claim_one(anna, project))
    with pytest.raises(Refusal) as refused:
        claim(user=anna, project=project)
    assert (refused.value.code, refused.value.status) == ("daily_cap_reached", 403)


def test_no_more_are_held_than_the_cap_leaves(project: Project, anna: Any) -> None:
    set_assignee(project=project, user=anna, daily_cap=3)
    judge(anna, claim_one(anna, project))
    assert len(claim(user=anna, project=project, count=6)) == 2


def test_one_persons_cap_is_nobody_elses(project: Project, anna: Any) -> None:
    [ben] = make_annotators(project, "ben")
    set_assignee(project=project, user=anna, daily_cap=0)
    assert claim(user=ben, project=project)


def test_a_viewer_has_no_queue_to_pause(project: Project) -> None:
    vera = make_user("vera")
    join(vera, project, Role.VIEWER)
    with pytest.raises(Refusal) as refused:
        set_assignee(project=project, user=vera, is_paused=True)
    assert refused.value.code == "not_an_annotator"


def test_a_change_is_audited(project: Project, anna: Any, alice: Any) -> None:
    set_assignee(project=project, user=anna, actor=alice, daily_cap=9)
    event = AuditEvent.objects.get(verb=AuditVerb.ASSIGNEE_CHANGED)
    assert (event.actor_id, event.facts) == (alice.pk, {"user": anna.pk, "daily_cap": 9})
