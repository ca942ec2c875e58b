"""Prompts asked of a checkpoint: queued by the web process, answered by a worker of the queue ``inference``."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from engine.imaging import decode_png, encode_png, sha256
from engine.measures import measure
from engine.models import SourceImage
from engine.records import Picture, Prompt, RGBALayer
from engine.refusals import Refusal
from training import predictors
from training.asking import checked_picture
from training.models import JobStatus, Prediction
from training.models.jobs import LIVE
from training.prompt_json import prompt_from_json, prompt_to_json
from training.selectors.checkpoints import predictors_for
from training.services.doorbell import ring
from training.services.leases import DATABASE_LOST, LeaseLost, ended_as, heartbeat, write

log = logging.getLogger(__name__)

QUEUE = "inference"
TASK = "training.tasks.predict"
MOST_WAITING = 20
"""Of one person. A page asks for a few at a time; a script waits for its answers."""
FORGOTTEN_AT_ONCE = 500


def ask(*, user: Any, image: SourceImage, prompt: Any, checkpoint: str = predictors.DEFAULT) -> Prediction:
    """Queue a prompt, as JSON, about a picture.

    Raises ``Refusal``: 400 ``unknown_checkpoint``, ``text_only`` and those of ``training.prompt_json``; 429
    ``too_many_waiting``.
    """
    predictor = predictors.choose(checkpoint, predictors_for(user))
    read = prompt_from_json(prompt, image.width, image.height)
    predictor.check(read)
    if Prediction.objects.filter(asked_by=user, status__in=LIVE).count() >= MOST_WAITING:
        raise Refusal("too_many_waiting", f"{MOST_WAITING} of your prompts are waiting; take their answers first.", 429)
    with transaction.atomic():
        prediction = Prediction.objects.create(
            image=image, asked_by=user, checkpoint=checkpoint, prompt=prompt_to_json(read)
        )
        transaction.on_commit(ring_for_answers)
    return prediction


ring_for_answers = partial(ring, QUEUE, TASK)


def work_on(prediction: Prediction) -> None:
    """Answer a claimed prompt; what cannot be answered is failed with its code.

    Raises ``LeaseLost`` when it was cancelled or another worker has it: then nothing of it is kept.
    """
    with heartbeat(prediction):
        try:
            changes = _finished(prediction, *_answer(prediction))
        except DATABASE_LOST:
            raise
        except Exception as error:
            code = getattr(error, "code", None)
            if code is None:
                # A defect: whoever asked is told at once, and nobody's worker dies of it again.
                log.exception("prediction %s failed", prediction.pk)
            reason = f"{code or 'prediction_failed'}: {error}"[:500]
            changes = ended_as(JobStatus.FAILED, reason=reason)
        try:
            write(prediction, **changes)
        except LeaseLost:
            _delete_files(changes)
            raise


def forget_old() -> int:
    """Delete answers that are older than anybody's sitting, with their files; returns how many."""
    since = timezone.now() - timedelta(days=settings.PREDICTION_DAYS)
    old = list(Prediction.objects.filter(created_at__lt=since).exclude(status__in=LIVE)[:FORGOTTEN_AT_ONCE])
    for prediction in old:
        files = {"rgba": prediction.rgba.name, "visible_mask": prediction.visible_mask.name}
        prediction.delete()
        _delete_files(files)
    return len(old)


def _answer(prediction: Prediction) -> tuple[RGBALayer, float]:
    """The layer, and the seconds it took without loading the network."""
    predictor = predictors.find(prediction.checkpoint, settings.CHECKPOINT_FOLDERS)
    image = prediction.image
    prompt = prompt_from_json(prediction.prompt, image.width, image.height)
    with image.picture.open("rb") as file:
        picture = checked_picture(decode_png(file.read()))
    if predictor.folder is None:
        return _by_engine(picture, prompt)

    import torch

    from training.warm_pipelines import pipeline_of

    pipeline = pipeline_of(predictor.folder)
    started = time.perf_counter()
    layer = pipeline(picture, prompt, generator=torch.Generator().manual_seed(0))
    return layer, time.perf_counter() - started


def _by_engine(picture: Picture, prompt: Prompt) -> tuple[RGBALayer, float]:
    from training.engine_layer import layer_of

    started = time.perf_counter()
    return layer_of(picture, prompt), time.perf_counter() - started


def _finished(prediction: Prediction, layer: RGBALayer, seconds: float) -> dict[str, Any]:
    png, measured = encode_png(layer.rgba_hwc), measure(layer)
    # Files of one lease: what another worker stores, or what is forgotten, never touches them.
    place = f"predictions/{prediction.pk}/{prediction.lease}"
    return ended_as(
        JobStatus.FINISHED,
        sha256=sha256(png),
        rgba=default_storage.save(f"{place}.png", ContentFile(png)),
        visible_mask=default_storage.save(f"{place}-visible.png", ContentFile(encode_png(layer.visible_hw))),
        box=list(measured.box),
        area_share=measured.area_share,
        hidden_share=measured.hidden_share,
        soft_share=measured.soft_share,
        seconds=seconds,
    )


def _delete_files(names: Mapping[str, Any]) -> None:
    for field in ("rgba", "visible_mask"):
        if names.get(field):
            default_storage.delete(names[field])
