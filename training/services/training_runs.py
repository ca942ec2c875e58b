"""Start, cancel and resume training runs. The work itself is ``training.services.training_work``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from engine.models import Project
from engine.refusals import Refusal
from engine.revision import code_revision
from training import predictors, recipes
from training.mixing import BadMix, Mix, mix_from_json
from training.models import Checkpoint, JobStatus, RunTrigger, Snapshot, TrainingRun
from training.rules import OnReserved, Rules
from training.run_params import BadParams, checked_params
from training.selectors.checkpoints import current_checkpoint
from training.services import leases
from training.services.checkpoints import checkpoint_named
from training.services.doorbell import ring
from training.services.freezing import freeze_snapshot, request_snapshot

QUEUE = "train"
TASK = "training.tasks.train"
RECIPE = "tiny_cpu"
ring_for_training = partial(ring, QUEUE, TASK)


def start_training_run(
    *,
    snapshot: Snapshot,
    recipe: str = RECIPE,
    parent: Checkpoint | None = None,
    from_scratch: bool = False,
    params: Mapping[str, Any] | None = None,
    weights: Mapping[str, Any] | None = None,
    user: Any = None,
    trigger: str = RunTrigger.BUTTON,
    cause: str = "",
    is_queued: bool = True,
) -> TrainingRun:
    """Queue a run on a frozen snapshot. Without ``parent`` it goes on from what the project uses now.

    ``is_queued`` false leaves ringing out, for whoever works on it in this process.

    Raises ``Refusal``: 400 ``unknown_recipe``, ``bad_params``, ``bad_weights``, ``wrong_parent``; 409 ``not_frozen``,
    ``other_project``.
    """
    project = snapshot.project
    if not snapshot.is_frozen:
        raise Refusal("not_frozen", f"{snapshot} is {snapshot.status}, not frozen yet.", 409)
    if parent is None and not from_scratch:
        parent = default_parent(project)
    _check_parent(project, recipe, parent)
    try:
        mix = mix_from_json(weights or {})
        given = checked_params(params or {}, is_small=_is_small(parent))
    except (BadMix, BadParams) as error:
        raise Refusal(error.code, str(error)) from error
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        latest = TrainingRun.objects.filter(project=project).aggregate(latest=Max("number"))["latest"] or 0
        run = TrainingRun.objects.create(
            project=project,
            number=latest + 1,
            snapshot=snapshot,
            parent=parent,
            recipe=recipe,
            params=given,
            weights=mix.to_json(),
            code_revision=code_revision(),
            trigger=trigger,
            cause=cause[:200],
            asked_by=user,
        )
        if is_queued:
            transaction.on_commit(ring_for_training)
    return run


def freeze_for_training(project: Project, *, user: Any = None, may_wait: bool = True) -> Snapshot:
    """The accepted layers as they are now, reserved pictures left out, under a name that says when.

    Raises ``Refusal`` as ``freezing.freeze_snapshot``; 409 ``still_freezing`` when there are many layers and nobody
    ``may_wait`` for them: a worker freezes them first.
    """
    rules = Rules(on_reserved=OnReserved.LEAVE_OUT.value)
    name = f"Retraining {timezone.now():%Y-%m-%d %H:%M:%S.%f}"[:-3]
    freeze = freeze_snapshot if may_wait else request_snapshot
    snapshot = freeze(project=project, name=name, rules=rules, user=user)
    if not snapshot.is_frozen:
        raise Refusal("still_freezing", f"A worker freezes {snapshot} first; train from it when it is done.", 409)
    return snapshot


def cancel_training_run(run: TrainingRun) -> bool:
    """The worker that has it kills its trainer within a second. ``False`` if it was over."""
    return leases.cancel(run)


def resume_training_run(run: TrainingRun, *, is_queued: bool = True) -> bool:
    """Queue a cancelled or failed run again, from its last saved state. ``False`` if it is neither."""
    over = TrainingRun.objects.filter(pk=run.pk, status__in=(JobStatus.CANCELLED, JobStatus.FAILED))
    with transaction.atomic():
        if over.update(status=JobStatus.QUEUED, attempts=0, reason="", finished_at=None) == 0:
            return False
        if is_queued:
            transaction.on_commit(ring_for_training)
    return True


def default_parent(project: Project) -> Checkpoint:
    """What the project uses now, else the shipped checkpoint."""
    return current_checkpoint(project) or checkpoint_named(predictors.DEFAULT)


def mix_of(run: TrainingRun) -> Mix:
    return mix_from_json(run.weights)


def _check_parent(project: Project, recipe: str, parent: Checkpoint | None) -> None:
    if recipe not in recipes.RECIPES:
        raise Refusal("unknown_recipe", f"There is no recipe {recipe}; there are {', '.join(recipes.RECIPES)}.")
    if parent is not None and parent.project_id not in (None, project.pk):
        raise Refusal("other_project", f"{parent} belongs to another project.", 409)
    if recipe != RECIPE and (parent is None or _is_small(parent)):
        raise Refusal("wrong_parent", f"{recipe} goes on from a RefLayer checkpoint of SD3's size; choose one.")


def _is_small(parent: Checkpoint | None) -> bool:
    if parent is None:
        return False
    found = predictors.known(settings.CHECKPOINT_FOLDERS).get(parent.name)
    return found is not None and found.is_small
