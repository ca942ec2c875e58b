from datetime import UTC, datetime, timedelta
from typing import Any

from annotation.models import Verdict
from annotation.selectors.statistics import last_decisions, own_day, project_progress
from annotation.services.verdicts import undo
from engine.models import LayerStatus, Project
from tests.annotation.judging import claim_one, judge, make_layers, set_layer

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def judge_at(user: Any, project: Project, moment: datetime, active_ms: int, decision: str = "accept") -> Verdict:
    verdict = judge(user, claim_one(user, project), decision, active_ms=active_ms)
    Verdict.objects.filter(pk=verdict.pk).update(created_at=moment)
    return verdict


def test_own_day_counts_per_hour_and_takes_the_median_time(project: Project, bob: Any) -> None:
    make_layers(project, 4)
    judge_at(bob, project, NOON - timedelta(minutes=90), 100)
    judge_at(bob, project, NOON - timedelta(minutes=20), 700, "reject")
    judge_at(bob, project, NOON - timedelta(minutes=10), 300, "unsure")
    judge_at(bob, project, NOON - timedelta(hours=25), 9000)
    day = own_day(bob, project, now=NOON)
    assert day["decisions"] == 3
    assert day["by_decision"] == {"accept": 1, "reject": 1, "unsure": 1, "broken": 0}
    assert day["median_active_ms"] == 300
    assert day["per_hour"] == [
        {"hour": NOON - timedelta(hours=2), "decisions": 1},
        {"hour": NOON - timedelta(hours=1), "decisions": 2},
    ]


def test_a_day_without_work_has_no_median(project: Project, bob: Any) -> None:
    assert own_day(bob, project)["median_active_ms"] is None


def test_progress_counts_layers_by_what_people_said(project: Project, bob: Any) -> None:
    layers = make_layers(project, 4)
    set_layer(layers[0], LayerStatus.DROPPED)
    judge(bob, claim_one(bob, project), "accept")
    judge(bob, claim_one(bob, project), "reject")
    assert project_progress(project) == {"ready": 1, "accepted": 1, "rejected": 1, "layers": 3, "verdicts": 2}


def test_last_decisions_are_newest_first_without_those_taken_back(project: Project, bob: Any) -> None:
    make_layers(project, 3)
    first, second, third = (judge(bob, claim_one(bob, project)) for _ in range(3))
    undo(user=bob, verdict=second)
    assert list(last_decisions(bob, project)) == [third, first]
