"""When a project retrains by itself: what is due, shown before it happens, and the sweep that starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from engine.models import Project
from engine.refusals import Refusal
from training.mixing import BadMix, mix_from_json
from training.models import JobStatus, RetrainPolicy, RunTrigger, TrainingRun
from training.models.jobs import LIVE
from training.retraining import Facts, Plan, Terms, plan
from training.rules import OnReserved, Rules
from training.selectors.candidates import Preview, chosen_layers, preview
from training.services.training_runs import freeze_for_training, start_training_run

BUDGET_DAYS = 30
DropOf = Callable[[Project], float | None]
"""By how much a project's HPA score has fallen, 0..1; ``None`` when nobody knows."""


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """What the sweep would do now, and the layers it would train on."""

    plan: Plan
    facts: Facts
    layers: Preview = field(repr=False)


def change_policy(policy: RetrainPolicy, *, user: Any = None, **changes: Any) -> RetrainPolicy:
    """Raises ``Refusal`` 400 ``bad_weights``."""
    try:
        mix_from_json(changes.get("weights", policy.weights))
    except BadMix as error:
        raise Refusal(error.code, str(error)) from error
    for name, value in changes.items():
        setattr(policy, name, value)
    policy.changed_by = user
    policy.save()
    return policy


def policy_of(project: Project) -> RetrainPolicy:
    """The project's own, or one that is not saved and does nothing."""
    return RetrainPolicy.objects.filter(project=project).first() or RetrainPolicy(project=project)


def preview_policy(policy: RetrainPolicy, *, hpa_drop: float | None = None) -> PolicyPreview:
    """A dry run: nothing is changed."""
    facts = facts_of(policy.project, hpa_drop)
    rules = Rules(on_reserved=OnReserved.LEAVE_OUT.value)
    return PolicyPreview(plan(terms_of(policy), facts), facts, preview(policy.project, rules))


def apply_policies(hpa_drop_of: DropOf = lambda project: None) -> list[TrainingRun]:
    """Start every run that is due. Callers may meet: one run is started, by whoever holds the project first."""
    started = []
    for policy in RetrainPolicy.objects.filter(is_enabled=True).select_related("project"):
        run = _apply(policy, hpa_drop_of(policy.project))
        if run is not None:
            started.append(run)
    return started


def _apply(policy: RetrainPolicy, hpa_drop: float | None) -> TrainingRun | None:
    with transaction.atomic():
        project = Project.objects.select_for_update(no_key=True).get(pk=policy.project_id)
        found = plan(terms_of(policy), facts_of(project, hpa_drop))
        if not found.is_due:
            return None
        try:
            snapshot = freeze_for_training(project)
            return start_training_run(
                snapshot=snapshot,
                recipe=policy.recipe,
                weights=policy.weights,
                trigger=RunTrigger.POLICY,
                cause=found.cause,
            )
        except Refusal:
            # Nothing to train on, or a worker freezes first: the next sweep looks again.
            return None


def terms_of(policy: RetrainPolicy) -> Terms:
    names = ("is_enabled", "every_layers", "every_days", "hpa_drop", "cooldown_hours", "budget_runs", "budget_minutes")
    return Terms(**{name: getattr(policy, name) for name in names})


def facts_of(project: Project, hpa_drop: float | None = None) -> Facts:
    """What the decision rests on. A run counts from its start, however it ended."""
    now = timezone.now()
    runs = TrainingRun.objects.filter(project=project)
    last = runs.order_by("-created_at").select_related("snapshot").first()
    by_policy = runs.filter(trigger=RunTrigger.POLICY, created_at__gte=now - timedelta(days=BUDGET_DAYS))
    trained_s = by_policy.aggregate(total=Sum("trained_s"))["total"] or 0.0
    return Facts(
        now=now,
        new_layers=_new_layers(project, last),
        last_start=last.created_at if last else None,
        first_accepted=_first_accepted(project),
        hpa_drop=hpa_drop,
        is_live=runs.filter(status__in=LIVE).exists(),
        runs=by_policy.exclude(status=JobStatus.CANCELLED).count(),
        minutes=trained_s / 60,
    )


def _new_layers(project: Project, last: TrainingRun | None) -> int:
    """Accepted layers that the last run's snapshot did not hold."""
    layers = chosen_layers(project, Rules())
    if last is not None:
        layers = layers.exclude(pk__in=last.snapshot.items.values("layer_id"))
    return layers.count()


def _first_accepted(project: Project) -> datetime | None:
    return chosen_layers(project, Rules()).order_by("created_at").values_list("created_at", flat=True).first()
