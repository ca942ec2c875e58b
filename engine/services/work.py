"""What a worker does with the images it holds: stage by stage, every finished stage saved."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import groupby

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from engine import registry
from engine.imaging import decode_png, thumbnail_webp
from engine.models import ItemStatus, RunItem, StageRun, Worker
from engine.previews import render
from engine.recipes import Recipe
from engine.records import STAGES, Scene
from engine.runner import Outcome, StageReport, run_stage
from engine.scene_file import dump, load
from engine.services.files import store
from engine.services.images import given_prompts_of
from engine.services.layers import prepare_layers, publish_layers
from engine.services.leases import claim_items, heartbeat
from engine.services.runs import finish_runs

log = logging.getLogger(__name__)

PREVIEW_PX = 720
BATCH = {"cpu": 2, "gpu": 16}
"""Images a worker takes at once: each network is loaded once a batch, and progress shows after each stage."""

END = {
    Outcome.DROPPED: ItemStatus.DROPPED,
    Outcome.FAILED: ItemStatus.FAILED,
}


class LeaseLost(Exception):
    """Another worker has the image now, or the run was cancelled: nothing of ours may be written any more."""


def work(worker: Worker, queue: str) -> int:
    """Claim and finish one batch; returns how many images were taken (0: nothing to do)."""
    items = claim_items(worker, queue, BATCH[queue])
    items.sort(key=lambda item: str(item.run_id))
    for _, batch in groupby(items, key=lambda item: item.run_id):
        _work_on(worker, list(batch))
    finish_runs()
    return len(items)


def _work_on(worker: Worker, items: list[RunItem]) -> None:
    recipe = Recipe.from_json(items[0].run.recipe)
    leases = {item.pk: item.lease for item in items if item.lease is not None}
    with heartbeat(worker, leases):
        scenes = {item.pk: _scene_of(item) for item in items}
        for number, spec in enumerate(recipe.stages):
            batch = [item for item in items if item.stages_done == number and scenes[item.pk].is_kept]
            if not batch:
                continue
            Worker.objects.filter(pk=worker.pk).update(doing=f"{spec.stage} of {len(batch)} images")
            backend = registry.load(spec.stage, spec.backend, spec.params, worker.device)
            by_sha = {item.image.sha256: item for item in batch}
            for report in run_stage([scenes[item.pk] for item in batch], spec, backend):
                item = by_sha[report.image_sha256]
                try:
                    _save(item, scenes[item.pk], report)
                except LeaseLost:
                    log.warning("lost the lease of %s during %s", item, report.stage)
                    items = [other for other in items if other is not item]
    Worker.objects.filter(pk=worker.pk).update(doing="")


def _scene_of(item: RunItem) -> Scene:
    with item.image.picture.open("rb") as file:
        pixels = decode_png(file.read())
    if item.scene_file:
        with default_storage.open(item.scene_file) as file:
            return load(file.read(), pixels)
    facts = {"format": item.image.original_format, "name": item.image.original_name}
    if item.image.duplicate_of_id:
        facts["duplicate_of"] = str(item.image.duplicate_of_id)
    return Scene(item.image.sha256, pixels, item.run.seed, given_prompts_of(item.image), facts=facts)


def _save(item: RunItem, scene: Scene, report: StageReport) -> None:
    """Write what the stage did, in one transaction that holds only while the lease is ours; else ``LeaseLost``."""
    done = STAGES.index(report.stage) + 1
    is_last = done == len(STAGES)
    preview = store("previews", thumbnail_webp(render(scene, report.stage), PREVIEW_PX), "webp")
    changes: dict[str, object] = {}
    layers, prompts = prepare_layers(item, scene) if is_last and report.outcome is not Outcome.FAILED else ([], [])
    old_file, new_file = item.scene_file, ""
    if report.outcome is Outcome.FAILED:
        new_file = old_file
    else:
        changes["stages_done"] = done
        if report.outcome is Outcome.KEPT and not is_last:
            new_file = default_storage.save(f"scenes/{item.pk}/{done}-{item.lease}.npz", ContentFile(dump(scene)))
        changes["scene_file"] = new_file
    if report.outcome is not Outcome.KEPT or is_last:
        changes |= {
            "status": END.get(report.outcome, ItemStatus.FINISHED),
            "reason": report.reason,
            "lease": None,
            "lease_expires_at": None,
            "finished_at": timezone.now(),
        }
    try:
        with transaction.atomic():
            ours = RunItem.objects.filter(pk=item.pk, lease=item.lease, status=ItemStatus.RUNNING)
            if ours.update(**changes or {"stages_done": item.stages_done}) == 0:
                raise LeaseLost
            StageRun.objects.update_or_create(
                item=item,
                stage=report.stage,
                defaults={
                    "run": item.run,
                    "backend": report.backend,
                    "outcome": report.outcome.value,
                    "reason": report.reason,
                    "seconds": report.seconds,
                    "layers_in": report.layers_in,
                    "layers_out": report.layers_out,
                    "numbers": report.numbers,
                    "dropped_layers": report.dropped_layers,
                    "preview": preview,
                    "finished_at": timezone.now(),
                },
            )
            publish_layers(layers, prompts)
    except LeaseLost:
        if new_file and new_file != old_file:
            default_storage.delete(new_file)
        raise
    if report.outcome is not Outcome.FAILED:
        item.stages_done, item.scene_file = done, new_file
        if old_file:
            default_storage.delete(old_file)


def batches(worker: Worker, queue: str) -> Iterator[int]:
    """Work until nothing is left; yields after each batch so that the caller may stop."""
    while taken := work(worker, queue):
        yield taken
