"""What is kept of one stage of one image: its files first, then its rows."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from engine.imaging import thumbnail_webp
from engine.models import ItemStatus, Layer, Prompt, RunItem, StageRun
from engine.previews import render
from engine.records import STAGES, Scene
from engine.rewinding import without_layers
from engine.runner import Outcome, StageReport
from engine.scene_file import dump
from engine.services.files import store
from engine.services.layers import prepare_layers, publish_layers

PREVIEW_PX = 720
END = {
    Outcome.DROPPED: ItemStatus.DROPPED,
    Outcome.FAILED: ItemStatus.FAILED,
}


class LeaseLost(Exception):
    """Another worker has the image now, or the run was cancelled: nothing of ours may be written any more."""


@dataclass(frozen=True, slots=True)
class Made:
    """The files of one stage of one image, and the rows of its layers, not saved yet."""

    preview: str
    scene_file: str
    layers: list[Layer]
    prompts: list[Prompt]


def make(item: RunItem, scene: Scene, report: StageReport) -> Made:
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
    return Made(preview, scene_file, layers, prompts)


NOTHING = Made("", "", [], [])


def save(item: RunItem, report: StageReport, made: Made) -> None:
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
