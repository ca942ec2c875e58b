"""What a worker does with the images it holds: stage by stage, every finished stage saved."""

from __future__ import annotations

import logging
import os
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from engine import registry
from engine.imaging import decode_png, thumbnail_webp
from engine.models import ItemStatus, Layer, Prompt, RunItem, StageRun, Worker
from engine.previews import render
from engine.recipes import Recipe, StageSpec
from engine.records import STAGES, Scene
from engine.rewinding import without_layers
from engine.runner import Outcome, StageReport, failed, run_stage
from engine.scene_file import dump, load
from engine.services.files import store
from engine.services.images import given_prompts_of
from engine.services.layers import prepare_layers, publish_layers
from engine.services.leases import claim_items, heartbeat
from engine.services.reruns import Origin, origins_of
from engine.services.runs import finish_runs

log = logging.getLogger(__name__)

PREVIEW_PX = 720
BATCH = {"cpu": 2, "gpu": 16}
"""Images a worker takes at once: each network is loaded once a batch, and progress shows after each stage."""

_THREADS = min(16, os.cpu_count() or 1)
"""Decoding and encoding pictures, which is done outside Python's lock."""

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
    """The device goes on while threads make the files of what it has finished: at most a batch of them waits."""
    recipe = Recipe.from_json(items[0].run.recipe)
    leases = {item.pk: item.lease for item in items if item.lease is not None}
    with heartbeat(worker, leases), ThreadPoolExecutor(_THREADS, "files") as pool:
        origins = origins_of(items)
        loaded = pool.map(_scene_of, items, [origins.get(item.pk) for item in items])
        scenes = {item.pk: scene for item, scene in zip(items, loaded, strict=True)}
        done = {item.pk: item.stages_done for item in items}
        unsaved: deque[tuple[RunItem, StageReport, Future[_Made]]] = deque()
        lost: set[uuid.UUID] = set()

        def save(most_waiting: int) -> None:
            """The finished ones, and those that are too many."""
            while unsaved and (len(unsaved) > most_waiting or unsaved[0][2].done()):
                item, report, made = unsaved.popleft()
                try:
                    _save(item, report, made.result())
                except LeaseLost:
                    log.warning("lost the lease of %s during %s", item, report.stage)
                    lost.add(item.pk)

        for number, spec in enumerate(recipe.stages):
            batch = [item for item in items if done[item.pk] == number and scenes[item.pk].is_kept]
            batch = [item for item in batch if item.pk not in lost]
            if not batch:
                continue
            Worker.objects.filter(pk=worker.pk).update(doing=f"{spec.stage} of {len(batch)} images")
            by_sha = {item.image.sha256: item for item in batch}
            for report in _reports([scenes[item.pk] for item in batch], spec, worker.device):
                item = by_sha[report.image_sha256]
                done[item.pk] = number + 1
                unsaved.append((item, report, pool.submit(_make, item, scenes[item.pk].copy(), report)))
                save(most_waiting=len(items))
        save(most_waiting=0)
    Worker.objects.filter(pk=worker.pk).update(doing="")


def _reports(scenes: list[Scene], spec: StageSpec, device: str) -> Iterator[StageReport]:
    """A backend that cannot be had (weights that are missing, say) fails its pictures with the reason."""
    try:
        backend = registry.load(spec.stage, spec.backend, spec.params, device)
    except Exception as error:  # noqa: BLE001 - the report carries whatever it was
        return failed(scenes, spec, error)
    return run_stage(scenes, spec, backend)


def _scene_of(item: RunItem, origin: Origin | None) -> Scene:
    with item.image.picture.open("rb") as file:
        pixels = decode_png(file.read())
    if item.scene_file:
        with default_storage.open(item.scene_file) as file:
            return load(file.read(), pixels)
    if origin is not None:
        return origin.scene(pixels)
    facts = {"format": item.image.original_format, "name": item.image.original_name}
    if item.image.duplicate_of_id:
        facts["duplicate_of"] = str(item.image.duplicate_of_id)
    return Scene(item.image.sha256, pixels, item.run.seed, given_prompts_of(item.image), facts=facts)


@dataclass(frozen=True, slots=True)
class _Made:
    """The files of one stage of one image, and the rows of its layers, not saved yet."""

    preview: str
    scene_file: str
    layers: list[Layer]
    prompts: list[Prompt]


def _make(item: RunItem, scene: Scene, report: StageReport) -> _Made:
    """Draw, encode and store; in a thread, so nothing of the database is touched."""
    done = STAGES.index(report.stage) + 1
    is_last = done == len(STAGES)
    is_over = is_last or report.outcome is not Outcome.KEPT
    preview = store("previews", thumbnail_webp(render(scene, report.stage, PREVIEW_PX), PREVIEW_PX), "webp")
    layers, prompts = prepare_layers(item, scene) if is_last and report.outcome is not Outcome.FAILED else ([], [])
    scene_file = ""
    if report.outcome is not Outcome.FAILED:
        data = dump(without_layers(scene) if is_over else scene)
        scene_file = default_storage.save(f"scenes/{item.pk}/{done}-{item.lease}.npz", ContentFile(data))
    return _Made(preview, scene_file, layers, prompts)


def _save(item: RunItem, report: StageReport, made: _Made) -> None:
    """Write what the stage did, in one transaction that holds only while the lease is ours; else ``LeaseLost``."""
    done = STAGES.index(report.stage) + 1
    is_last = done == len(STAGES)
    changes: dict[str, object] = {}
    old_file = item.scene_file
    new_file = old_file if report.outcome is Outcome.FAILED else made.scene_file
    if report.outcome is not Outcome.FAILED:
        changes = {"stages_done": done, "scene_file": new_file}
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
                    "device_s": report.cost.device_s,
                    "tokens": report.cost.tokens,
                    "layers_in": report.layers_in,
                    "layers_out": report.layers_out,
                    "numbers": report.numbers,
                    "dropped_layers": report.dropped_layers,
                    "preview": made.preview,
                    "finished_at": timezone.now(),
                },
            )
            publish_layers(made.layers, made.prompts)
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
