"""Policies on real projects: what a dry run says is what the sweep does, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from engine.models import Project
from engine.refusals import Refusal
from evaluation.tasks import apply_retrain_policies
from tests.training.frozen import make_stack
from training.models import RetrainPolicy, RunTrigger, Snapshot, TrainingRun
from training.services.policies import apply_policies, change_policy, policy_of, preview_policy
from training.services.training_runs import cancel_training_run


@pytest.fixture
def stacks(project: Project) -> Project:
    for number in range(3):
        make_stack(project, number)
    return project


def enabled(project: Project, **terms: Any) -> RetrainPolicy:
    return change_policy(policy_of(project), is_enabled=True, **{"every_layers": 9, "cooldown_hours": 1, **terms})


def over(run: TrainingRun, hours_ago: float) -> None:
    cancel_training_run(run)
    TrainingRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(hours=hours_ago))


def test_enough_new_layers_start_one_run_and_the_dry_run_said_so(stacks: Project) -> None:
    policy = enabled(stacks)
    shown = preview_policy(policy)
    assert shown.plan.is_due
    assert (shown.facts.new_layers, shown.layers.layers) == (9, 9)
    assert not Snapshot.objects.exists(), "looking changes nothing"
    (run,) = apply_policies()
    assert (run.trigger, run.snapshot.rows) == (RunTrigger.POLICY, 9)
    assert "9 newly accepted layers" in run.cause
    assert apply_policies() == []
    assert "a run is under way" in preview_policy(policy).plan.obstacles


def test_the_next_run_waits_for_new_layers_and_for_the_cooldown(stacks: Project) -> None:
    policy = enabled(stacks, every_layers=3)
    (first,) = apply_policies()
    over(first, hours_ago=2)
    assert preview_policy(policy).plan.obstacles == ["no layer was accepted since the last run"]
    make_stack(stacks, 10)
    assert preview_policy(policy).plan.is_due
    over(first, hours_ago=0.5)
    assert not preview_policy(policy).plan.is_due
    over(first, hours_ago=2)
    apply_retrain_policies()
    assert TrainingRun.objects.count() == 2


def test_a_fall_of_the_score_starts_a_run_only_where_somebody_measured_it(stacks: Project) -> None:
    enabled(stacks, every_layers=0, hpa_drop=0.05)
    assert apply_policies() == []
    assert apply_policies(lambda project: 0.04) == []
    (run,) = apply_policies(lambda project: 0.06)
    assert run.cause.startswith("HPA fell by 0.060")


def test_a_policy_that_is_off_or_has_nothing_to_learn_does_nothing(stacks: Project, project: Project) -> None:
    change_policy(policy_of(stacks), every_layers=1)
    assert apply_policies() == []
    stacks.layers.all().delete()
    enabled(stacks, every_layers=1)
    assert apply_policies() == []


def test_weights_that_make_no_sense_are_refused(stacks: Project) -> None:
    with pytest.raises(Refusal, match="no source votes"):
        change_policy(policy_of(stacks), weights={"votes": 1})
    assert not RetrainPolicy.objects.exists()
