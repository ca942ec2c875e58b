"""Runs in any state, made row by row, for tests of what reads them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from engine import recipes
from engine.imaging import thumbnail_webp
from engine.models import EngineRun, ItemStatus, Project, RunItem, RunStatus, StageRun, Worker
from engine.services.files import store
from tests.factories import make_image, make_picture, make_producer


def make_run(project: Project, pictures: int = 2, status: str = RunStatus.RUNNING, **kwargs: Any) -> EngineRun:
    """A run with one queued item per new picture."""
    recipe = recipes.cpu()
    run = EngineRun.objects.create(
        project=project,
        producer=make_producer(),
        recipe=recipe.to_json(),
        recipe_name=recipe.name,
        code_revision="test",
        status=status,
        **kwargs,
    )
    for _ in range(pictures):
        RunItem.objects.create(run=run, image=make_image(project), recipe_digest=recipe.digest, queue=recipe.queue)
    return run


def report(item: RunItem, stage: str, *, outcome: str = "kept", seconds: float = 0.5, **kwargs: Any) -> StageRun:
    """What a worker writes after a stage, with a real preview picture."""
    preview = store("previews", thumbnail_webp(make_picture(item.image.perceptual_hash + 1), 64), "webp")
    return StageRun.objects.create(
        item=item,
        run=item.run,
        stage=stage,
        backend="rules",
        outcome=outcome,
        seconds=seconds,
        preview=preview,
        **kwargs,
    )


def make_worker(name: str = "cpu-0", silent_s: float = 0) -> Worker:
    heard_at = timezone.now() - dt.timedelta(seconds=silent_s)
    return Worker.objects.create(name=name, queue="cpu", started_at=heard_at, heartbeat_at=heard_at)


def give(item: RunItem, worker: Worker) -> None:
    """Claimed by the worker, as its lease says."""
    item.status = ItemStatus.RUNNING
    item.lease = uuid.uuid4()
    item.lease_expires_at = timezone.now() + dt.timedelta(seconds=60)
    item.worker = worker
    item.save()
