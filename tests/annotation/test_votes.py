"""A vote is claimed like a layer, stored once, counted once, and can be taken back."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from annotation.models import Assignee, AuditEvent, Comparison, SlotStatus, Vote
from annotation.services.gold import make_gold
from annotation.services.people import set_policy
from annotation.services.votes import (
    MOST_AT_ONCE,
    claim_comparisons,
    keep_comparison,
    record_vote,
    release_comparison,
    undo_vote,
)
from engine.models import Layer, Project
from engine.refusals import Refusal
from tests.annotation.comparing import claim_vote, make_rivals, vote, vote_all
from tests.annotation.judging import make_annotators


@pytest.fixture
def anna(project: Project) -> Any:
    return make_annotators(project, "anna")[0]


@pytest.fixture
def ben(project: Project) -> Any:
    return make_annotators(project, "ben")[0]


def end_lease(comparison: Comparison) -> None:
    Comparison.objects.filter(pk=comparison.pk).update(available_at=Now())


def refused(code: str) -> Any:
    return pytest.raises(Refusal, check=lambda refusal: refusal.code == code)


def test_own_live_leases_come_back_and_nobody_else_gets_them(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=3)
    held = {comparison.pk for comparison in claim_comparisons(user=anna, project=project, count=2)}
    assert {comparison.pk for comparison in claim_comparisons(user=anna, project=project, count=2)} == held
    assert not held & {comparison.pk for comparison in claim_comparisons(user=ben, project=project, count=10)}


def test_at_most_so_many_are_held(project: Project, anna: Any) -> None:
    make_rivals(project, photos=MOST_AT_ONCE + 3)
    claim_comparisons(user=anna, project=project, count=MOST_AT_ONCE)
    assert len(claim_comparisons(user=anna, project=project, count=100)) == MOST_AT_ONCE


def test_nobody_votes_twice_on_two_layers(project: Project, anna: Any) -> None:
    make_rivals(project, photos=5)
    votes = vote_all(anna, project)
    assert len({given.pair for given in votes}) == len(votes) == 5
    assert claim_comparisons(user=anna, project=project) == []


def test_nobody_votes_on_the_own_repair(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=1)
    Layer.objects.filter(producer__name="hasty").update(author=anna)
    assert claim_comparisons(user=anna, project=project) == []
    assert len(claim_comparisons(user=ben, project=project)) == 1


def test_a_vote_fills_the_comparison_and_counts(project: Project, anna: Any) -> None:
    make_rivals(project, photos=1)
    views = {"modes": ["two", "swipe"], "mattes": ["black"], "edited": True}
    given = vote(anna, claim_vote(anna, project), "right", views=views, criteria={"edges": "left"}, active_ms=1200)
    given.refresh_from_db()
    assert given.is_counted
    assert (given.views, given.criteria, given.active_ms) == (views, {"edges": "left"}, 1200)
    assert given.comparison.status == SlotStatus.FILLED


def test_the_same_client_id_is_the_same_vote(project: Project, anna: Any) -> None:
    make_rivals(project, photos=1)
    comparison = claim_vote(anna, project)
    first, is_new = record_vote(user=anna, comparison=comparison, choice="left", client_id="a")
    again, is_new_again = record_vote(user=anna, comparison=comparison, choice="left", client_id="a")
    assert (first.pk, is_new, is_new_again) == (again.pk, True, False)
    with refused("client_id_reused"):
        record_vote(user=anna, comparison=comparison, choice="right", client_id="a")


def test_an_ended_lease_is_no_obstacle_until_somebody_else_took_it(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=1)
    comparison = claim_vote(anna, project)
    end_lease(comparison)
    assert claim_vote(ben, project).pk == comparison.pk
    with refused("lease_lost"):
        vote(anna, comparison)
    vote(ben, comparison)
    assert sorted(Vote.objects.values_list("annotator__username", "is_counted")) == [("anna", False), ("ben", True)]


def test_a_comparison_can_be_given_back_and_kept(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=1)
    comparison = claim_vote(anna, project)
    assert keep_comparison(user=anna, comparison_id=comparison.pk) >= comparison.available_at
    assert release_comparison(user=anna, comparison_id=comparison.pk)
    assert not release_comparison(user=anna, comparison_id=comparison.pk)
    with refused("lease_lost"):
        keep_comparison(user=anna, comparison_id=comparison.pk)
    assert claim_vote(ben, project).pk == comparison.pk


def test_undo_gives_the_comparison_back_and_keeps_the_history(project: Project, anna: Any) -> None:
    make_rivals(project, photos=1)
    given = vote(anna, claim_vote(anna, project))
    held = undo_vote(user=anna, vote=given)
    assert undo_vote(user=anna, vote=given).pk == held.pk == given.comparison_id
    given.refresh_from_db()
    assert given.undone_at
    assert not given.is_counted
    assert vote(anna, claim_vote(anna, project), "right").is_counted
    assert AuditEvent.objects.filter(verb="vote_undone").count() == 1


def test_paused_and_capped_people_get_nothing(project: Project, anna: Any, ben: Any) -> None:
    make_rivals(project, photos=5)
    Assignee.objects.create(project=project, user=anna, is_paused=True)
    with refused("paused"):
        claim_comparisons(user=anna, project=project)
    Assignee.objects.create(project=project, user=ben, daily_cap=2)
    assert len(claim_comparisons(user=ben, project=project, count=5)) == 2
    for _ in range(2):
        vote(ben, claim_vote(ben, project))
    with refused("daily_cap_reached"):
        claim_comparisons(user=ben, project=project)


def test_who_did_not_pass_the_projects_test_does_not_vote(project: Project, anna: Any, ben: Any) -> None:
    layers = make_rivals(project, photos=3)
    set_policy(project=project, gold_rate=0, mirror_rate=0, qualification_items=2)
    assert claim_vote(anna, project), "there is nothing to be tested on yet"
    make_gold(layer=layers[0], is_acceptable=True)
    with refused("not_qualified"):
        claim_comparisons(user=ben, project=project)
    Assignee.objects.create(project=project, user=ben, qualified_at=timezone.now())
    assert vote(ben, claim_vote(ben, project)).is_counted


@pytest.mark.parametrize("change", [{"choice": "right"}, {"client_id": "other"}, {"views": {"modes": ["onion"]}}])
def test_the_database_holds_what_a_vote_said(project: Project, anna: Any, change: dict[str, Any]) -> None:
    make_rivals(project, photos=1)
    given = vote(anna, claim_vote(anna, project))
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Vote.objects.filter(pk=given.pk).update(**change)


def test_the_database_holds_what_a_comparison_showed(project: Project, anna: Any) -> None:
    make_rivals(project, photos=1)
    comparison = claim_vote(anna, project)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Comparison.objects.filter(pk=comparison.pk).update(left=comparison.right, right=comparison.left)


@pytest.mark.django_db(transaction=True)
def test_many_people_at_once_fill_every_comparison_once(project: Project) -> None:
    people = make_annotators(project, *(f"person {number}" for number in range(8)))
    make_rivals(project, photos=6, names=("careful", "hasty", "thorough"))
    together = threading.Barrier(len(people), timeout=20)

    def work(person: Any) -> None:
        try:
            together.wait()
            for _ in range(6):
                for comparison in claim_comparisons(user=person, project=project, count=2):
                    record_vote(user=person, comparison=comparison, choice="left", client_id=str(uuid.uuid4()))
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(work, people))
    votes = Vote.objects.all()
    assert votes.count() >= 8 * 6
    assert all(given.is_counted for given in votes)
    assert votes.values("comparison").distinct().count() == votes.count()
    assert votes.values("annotator", "pair").distinct().count() == votes.count()
