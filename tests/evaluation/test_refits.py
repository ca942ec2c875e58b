"""Leaderboards in the database: made from all votes, kept, audited, and empty where nothing can be said."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from annotation.models import AuditEvent, Vote
from engine.models import Layer, Project
from evaluation.models import Benchmark, Rating, Refit
from evaluation.selectors.leaderboard import latest_refit, leaderboard
from evaluation.services.ratings import refit_stale_boards
from evaluation.tasks import refit_ratings
from tests.evaluation.voting import voted_board


def test_a_board_is_fitted_from_its_votes_with_everything_it_shows(project: Project) -> None:
    names = voted_board(project)
    refit_ratings()
    refit = latest_refit(project, "foreground")
    rows = leaderboard(project, "foreground")
    assert [row.producer.name for row in rows] == names
    assert (refit.votes, refit.fitted_votes, refit.problem) == (96, 96, "")
    for row in rows:
        assert row.ci_low < row.rating < row.ci_high
        assert row.people_low < row.people_high
        assert row.online_low < row.online_elo < row.online_high
        assert row.reweighted == pytest.approx(row.rating, abs=1e-3), "all propensities were equal"
        assert row.votes == 64
    assert refit.flips > 1
    assert refit.bias["people"] == 4
    assert [len(gap) for gap in refit.gaps] == [3, 3]
    assert refit.wins["votes"][0][0] == 0
    assert sum(map(sum, refit.wins["votes"])) == 2 * 96


def test_a_board_without_new_votes_is_not_fitted_again_and_old_refits_stay(project: Project) -> None:
    voted_board(project)
    assert len(refit_stale_boards(project)) == 1
    assert refit_stale_boards(project) == []
    Vote.objects.filter(pk=Vote.objects.first().pk).update(is_counted=False, undone_at=timezone.now())
    assert len(refit_stale_boards(project)) == 1
    assert list(Refit.objects.values_list("votes", flat=True)) == [95, 96]
    assert Rating.objects.count() == 6


@pytest.mark.parametrize(
    ("world", "problem", "says"),
    [
        ({"tie": 1.0}, "all_ties", "Every vote is a tie"),
        ({"strengths": (50.0, -50.0), "tie": 0.0}, "not_connected", "No two producers have won against each other"),
    ],
)
def test_a_board_that_has_no_ratings_says_so_everywhere(
    project: Project, as_bob: APIClient, world: dict[str, Any], problem: str, says: str
) -> None:
    voted_board(project, **world)
    [refit] = refit_stale_boards(project)
    assert (refit.problem, refit.tie, refit.flips) == (problem, None, None)
    assert {row["rating"] for row in as_bob.get(f"/api/leaderboard/?project={project.slug}").data} == {None}
    assert says in as_bob.get(f"/projects/{project.slug}/arena/").content.decode()
    Benchmark.objects.create(project=project, name="b", digest="d")
    with pytest.raises(CommandError, match="no_ratings"):
        call_command("calibrate_hpa", "--project", project.slug, "--benchmark", "b", stderr=StringIO())


def test_votes_within_one_producer_are_no_board(project: Project, as_bob: APIClient) -> None:
    voted_board(project, strengths=(0.5, -0.5), photos=2, people=1)
    Layer.objects.update(producer=Layer.objects.first().producer)
    [refit] = refit_stale_boards(project)
    assert (refit.problem, refit.fitted_votes) == ("one_producer", 0)
    assert as_bob.get(f"/api/leaderboard/?project={project.slug}").data == []
    assert "Only one producer has been voted on" in as_bob.get(f"/projects/{project.slug}/arena/").content.decode()


def test_a_voter_who_says_the_opposite_is_left_out_of_the_fit_only_and_audited(project: Project) -> None:
    voted_board(project, photos=12, people=5)
    vandal = Vote.objects.order_by("annotator").first().annotator
    swap = {"left": "right", "right": "left", "tie": "tie"}
    for vote in Vote.objects.filter(annotator=vandal):
        Vote.objects.filter(pk=vote.pk).delete()
        vote.choice = swap[vote.choice]
        vote.save(force_insert=True)
    [refit] = refit_stale_boards(project)
    assert [one["annotator"] for one in refit.excluded] == [vandal.pk]
    assert refit.fitted_votes == refit.votes - 36
    assert Vote.objects.filter(annotator=vandal, is_counted=True).count() == 36
    event = AuditEvent.objects.get(verb="voter_excluded")
    assert event.facts["annotator"] == vandal.username
    refit_stale_boards(project)
    assert AuditEvent.objects.filter(verb="voter_excluded").count() == 1


def test_the_leaderboard_over_http(project: Project, as_bob: APIClient, as_charlie: APIClient) -> None:
    names = voted_board(project)
    path = f"/api/leaderboard/?project={project.slug}&board=foreground"
    assert as_bob.get(path).data == []
    refit_stale_boards(project)
    rows = as_bob.get(path).data
    assert [row["producer"] for row in rows] == names
    assert {"producer", "rating", "ci_low", "ci_high", "votes", "rank_low", "rank_high"} <= set(rows[0])
    assert as_bob.get(f"/api/leaderboard/?project={project.slug}&board=background").data == []
    assert as_bob.get(f"/api/leaderboard/?project={project.slug}&board=middle").status_code == 400
    assert as_charlie.get(path).status_code == 404


def test_votes_on_layers_of_one_producer_are_left_out(project: Project) -> None:
    """A layer may have gone to another producer since: mended by hand, or imported anew."""
    voted_board(project, strengths=(0.5, -0.5))
    vote: Any = Vote.objects.select_related("comparison__left", "comparison__right").first()
    left, right = vote.comparison.left, vote.comparison.right
    type(left).objects.filter(pk=left.pk).update(producer=right.producer)
    [refit] = refit_stale_boards(project)
    assert refit.fitted_votes < refit.votes
