"""Start, cancel, retry and finish runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from engine import recipes
from engine.models import EngineRun, ItemStatus, Producer, Project, RunItem, RunStatus, SourceImage
from engine.models.runs import LIVE_ITEMS
from engine.refusals import Refusal
from engine.revision import code_revision
from engine.services.doorbell import ring

DONE_ITEMS = (ItemStatus.FINISHED, ItemStatus.DROPPED)


def start_run(
    *,
    project: Project,
    recipe_name: str | None = None,
    images: Iterable[uuid.UUID] | None = None,
    user: Any = None,
    seed: int = 0,
) -> EngineRun:
    """Queue the images (all of the project by default) for a recipe (the project's by default).

    A recipe with a checkpoint takes the one that was promoted for the project.

    Images which this recipe is working on, or has finished with the same seed, are left out: the same input, recipe and
    seed give the same layers. Raises ``Refusal``: 400 ``unknown_recipe``, ``unknown_image``; 409 ``nothing_to_do``.
    """
    try:
        recipe = recipes.find(recipe_name or project.recipe).with_checkpoint(project.checkpoint)
    except recipes.UnknownRecipe as error:
        raise Refusal(error.code, str(error)) from error
    digest = recipe.digest
    candidates = SourceImage.objects.filter(project=project)
    if images is not None:
        wanted = set(images)
        candidates = candidates.filter(id__in=wanted)
        if candidates.count() != len(wanted):
            raise Refusal("unknown_image", "Some of these images are not in the project.")
    same = RunItem.objects.filter(image=OuterRef("pk"), recipe_digest=digest)
    todo = candidates.exclude(Exists(same.filter(status__in=LIVE_ITEMS))).exclude(
        Exists(same.filter(status__in=DONE_ITEMS, run__seed=seed))
    )
    with transaction.atomic():
        producer, _ = Producer.objects.get_or_create(
            name=f"{recipe.name}@{digest[:8]}", defaults={"kind": Producer.Kind.RECIPE, "digest": digest}
        )
        run = EngineRun.objects.create(
            project=project,
            producer=producer,
            recipe=recipe.to_json(),
            recipe_name=recipe.name,
            seed=seed,
            code_revision=code_revision(),
            started_by=user,
        )
        # Another start at the same moment may have queued some of them: the constraint decides, not the query above.
        RunItem.objects.bulk_create(
            [
                RunItem(run=run, image_id=image_id, recipe_digest=digest, queue=recipe.queue)
                for image_id in todo.values_list("id", flat=True)
            ],
            ignore_conflicts=True,
        )
        if not run.items.exists():
            raise Refusal(
                "nothing_to_do", f"Recipe {recipe.name} has done these images already or is working on them.", 409
            )
        transaction.on_commit(partial(ring, recipe.queue))
    return run


def cancel_run(run_id: uuid.UUID) -> bool:
    """Stop a run: waiting images at once, those in work at the end of their stage. ``False`` if it was over."""
    with transaction.atomic():
        now = timezone.now()
        live = EngineRun.objects.filter(pk=run_id, status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
        if live.update(status=RunStatus.CANCELLED, finished_at=now) == 0:
            return False
        RunItem.objects.filter(run_id=run_id, status__in=LIVE_ITEMS).update(
            status=ItemStatus.CANCELLED, lease=None, lease_expires_at=None, finished_at=now
        )
    return True


def retry_run(run_id: uuid.UUID) -> int:
    """Queue failed and cancelled images again, from their last finished stage; returns how many."""
    with transaction.atomic():
        run = EngineRun.objects.select_for_update().get(pk=run_id)
        elsewhere = RunItem.objects.filter(
            image=OuterRef("image"), recipe_digest=OuterRef("recipe_digest"), status__in=LIVE_ITEMS
        )
        again = run.items.filter(status__in=(ItemStatus.FAILED, ItemStatus.CANCELLED)).exclude(Exists(elsewhere))
        count = again.update(status=ItemStatus.QUEUED, attempts=0, reason="", finished_at=None)
        if count:
            run.status, run.finished_at = RunStatus.QUEUED, None
            run.save(update_fields=["status", "finished_at"])
            transaction.on_commit(partial(ring, recipes.Recipe.from_json(run.recipe).queue))
    return count


def finish_runs() -> int:
    """Mark runs whose last image is done; returns how many. Safe to call at any time, by anybody."""
    live = RunItem.objects.filter(run=OuterRef("pk"), status__in=LIVE_ITEMS)
    open_runs = EngineRun.objects.filter(status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
    return open_runs.exclude(Exists(live)).update(status=RunStatus.FINISHED, finished_at=timezone.now())


def give_up_on_poison(max_attempts: int) -> int:
    """Fail images whose worker died ``max_attempts`` times: they would take down one worker after the other."""
    abandoned = RunItem.objects.filter(
        status=ItemStatus.RUNNING, lease_expires_at__lt=timezone.now(), attempts__gte=max_attempts
    )
    return abandoned.update(
        status=ItemStatus.FAILED,
        reason="worker_lost: its worker stopped in the middle, again and again",
        lease=None,
        lease_expires_at=None,
        finished_at=timezone.now(),
    )
