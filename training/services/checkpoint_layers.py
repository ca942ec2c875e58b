"""Layers by a checkpoint for the prompts a project's pictures have already, so that two producers can be compared."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from annotation.pairing import same_things
from annotation.selectors.assignments import MOST_TELLING
from engine.imaging import decode_png
from engine.models import Layer, LayerStatus, Producer, Project, Prompt, SourceImage
from engine.records import PromptKind
from engine.refusals import Refusal
from engine.services.layers import publish_layers, unsaved_layer
from training import predictors
from training.manifest import prompt_from_json
from training.models import Checkpoint, CheckpointLayers, JobStatus, SnapshotItem
from training.services.checkpoints import folder_of
from training.services.doorbell import ring
from training.services.leases import LeaseLost, ended_as, heartbeat, write

QUEUE = "inference"
TASK = "training.tasks.make_layers"
MOST_IMAGES = 200
"""Pictures of one job: enough for a rating, and done in minutes."""
COPIED = ("kind", "points", "box", "mask", "text", "is_ambiguous")
ring_for_layers = partial(ring, QUEUE, TASK)


def start_checkpoint_layers(
    checkpoint: Checkpoint, project: Project, images: Collection[uuid.UUID] | None = None
) -> CheckpointLayers | None:
    """Queue layers of these pictures, or of those that the checkpoint has not learned from; ``None`` if there are none.

    While such a job is live the same one is returned.
    """
    wanted = list(unseen_images(checkpoint, project) if images is None else images)[:MOST_IMAGES]
    if not wanted:
        return None
    try:
        with transaction.atomic():
            job = CheckpointLayers.objects.create(
                checkpoint=checkpoint, project=project, images=[str(pk) for pk in wanted]
            )
            transaction.on_commit(ring_for_layers)
    except IntegrityError:
        live = (JobStatus.QUEUED, JobStatus.RUNNING)
        return CheckpointLayers.objects.filter(checkpoint=checkpoint, project=project, status__in=live).first()
    return job


def work_on(job: CheckpointLayers) -> None:
    """Make the layers of a claimed job, picture by picture, each once. Raises ``LeaseLost``."""
    with heartbeat(job):
        try:
            images = [uuid.UUID(pk) for pk in job.images]
            for number, made in enumerate(predict_layers(job.checkpoint, images, job=job), 1):
                write(job, images_done=number, layers_made=job.layers_made + made, attempts=0)
        except Refusal as refusal:
            write(job, **ended_as(JobStatus.FAILED, reason=f"{refusal.code}: {refusal}"[:500]))
            return
        write(job, **ended_as(JobStatus.FINISHED))


def predict_layers(
    checkpoint: Checkpoint, images: Iterable[uuid.UUID], *, job: CheckpointLayers | None = None
) -> Iterator[int]:
    """Ask the checkpoint for every thing that is known on these pictures; yields the layers made, picture by picture.

    A thing is an accepted layer, or one that waits for judgement where none is accepted; its most telling prompt is
    asked. The new layers are ``ready``, carry the same prompts, and lie under the checkpoint's producer. A picture on
    which that producer has layers is left alone. Prompts that the network refuses give no layer. With ``job`` a layer
    is saved only while its lease is ours.

    Raises ``Refusal`` 409 ``checkpoint_missing``, ``broken_checkpoint``.
    """
    predictor = predictors.known([folder_of(checkpoint).parent])[checkpoint.name]
    pipeline = _pipeline(predictor)
    for pk in images:
        image = SourceImage.objects.filter(pk=pk).first()
        if image is None or Layer.objects.filter(image=image, producer=checkpoint.producer).exists():
            yield 0
            continue
        rows, prompts = _answers(pipeline, predictor, image, checkpoint.producer)
        with transaction.atomic():
            SourceImage.objects.select_for_update(no_key=True).get(pk=image.pk)
            if job is not None and not _is_ours(job):
                raise LeaseLost
            if not Layer.objects.filter(image=image, producer=checkpoint.producer).exists():
                publish_layers(rows, prompts)
        yield len(rows)


def things_of(image: SourceImage) -> list[Layer]:
    """One layer for each thing of a picture, accepted ones first; layers of checkpoints are no evidence of a thing."""
    made = Layer.objects.filter(image=image).exclude(producer__kind=Producer.Kind.CHECKPOINT)
    made = made.filter(prompts__isnull=False).distinct().prefetch_related("prompts")
    found: list[Layer] = []
    for status in (LayerStatus.ACCEPTED, LayerStatus.READY):
        for layer in made.filter(status=status).order_by("depth", "created_at", "pk"):
            if not same_things(found, [layer]):
                found.append(layer)
    return found


def unseen_images(checkpoint: Checkpoint, project: Project) -> list[uuid.UUID]:
    """Pictures with layers that neither it nor an ancestor was trained on, the latest first."""
    learned = _snapshots_of(checkpoint)
    trained = SnapshotItem.objects.filter(snapshot__in=learned, split="train").values("image_id")
    known = Layer.objects.filter(project=project, status__in=(LayerStatus.READY, LayerStatus.ACCEPTED))
    images = SourceImage.objects.filter(project=project, pk__in=known.values("image_id")).exclude(pk__in=trained)
    return list(images.order_by("-created_at", "pk").values_list("pk", flat=True)[:MOST_IMAGES])


def _snapshots_of(checkpoint: Checkpoint) -> list[uuid.UUID]:
    found, at = [], checkpoint
    while at is not None:
        if at.snapshot_id is not None:
            found.append(at.snapshot_id)
        at = at.parent  # type: ignore[assignment]
    return found


def _answers(
    pipeline: Any, predictor: predictors.Predictor, image: SourceImage, producer: Producer
) -> tuple[list[Layer], list[Prompt]]:
    import torch

    with image.picture.open("rb") as file:
        picture = decode_png(file.read())
    rows, prompts = [], []
    for number, thing in enumerate(things_of(image)):
        given = list(thing.prompts.all())
        asked = _most_telling(given)
        prompt = prompt_from_json({name: getattr(asked, name) for name in COPIED})
        try:
            predictor.check(prompt)
            answer = pipeline(picture, prompt, generator=torch.Generator().manual_seed(0))
        except Refusal:
            continue
        if not answer.rgba_hwc[..., 3].any():
            continue
        row = unsaved_layer(
            image=image,
            producer=producer,
            layer=answer,
            key="bg" if thing.kind == PromptKind.BACKGROUND.value else f"{number:02d}",
            depth=thing.depth,
            kind=thing.kind,
            label=thing.label,
            status=LayerStatus.READY,
        )
        rows.append(row)
        prompts += [Prompt(layer=row, **{name: getattr(one, name) for name in COPIED}) for one in given]
    return rows, prompts


def _most_telling(prompts: Sequence[Prompt]) -> Prompt:
    return min(prompts, key=lambda prompt: (prompt.is_ambiguous, MOST_TELLING.index(prompt.kind)))


def _pipeline(predictor: predictors.Predictor) -> Any:
    from training.reflayer.checkpoint import BrokenCheckpoint
    from training.reflayer.tiny.checkpoint import BrokenCheckpoint as BrokenSmallCheckpoint
    from training.warm_pipelines import pipeline_of

    assert predictor.folder is not None
    try:
        return pipeline_of(predictor.folder)
    except (BrokenCheckpoint, BrokenSmallCheckpoint) as error:
        raise Refusal("broken_checkpoint", str(error), 409) from error


def _is_ours(job: CheckpointLayers) -> bool:
    ours = CheckpointLayers.objects.filter(pk=job.pk, lease=job.lease, status=JobStatus.RUNNING)
    return ours.select_for_update().exists()
