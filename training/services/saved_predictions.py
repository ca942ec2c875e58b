"""An answer of the playground becomes a layer of the project, which others judge like any other."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction

from engine import recipes
from engine.imaging import decode_png, thumbnail_webp
from engine.measures import measure
from engine.models import Layer, LayerStatus, Producer, Prompt, Role
from engine.records import LayerKind, PromptKind, RGBALayer
from engine.refusals import Refusal
from engine.selectors.access import require_role
from engine.services.files import store
from engine.services.layers import THUMBNAIL_PX
from training import predictors
from training.models import JobStatus, Prediction


def save_as_layer(*, user: Any, prediction: Prediction, label: str, depth: int = 0) -> tuple[Layer, bool]:
    """The layer, ready to be judged by anybody but ``user``; ``True``: just made, ``False``: it was saved before.

    It lies where the object lies in the photograph, in one stack with the photograph's other layers by the same
    checkpoint; ``depth`` 0 is the foremost. Its prompt is the one that was asked.

    Raises ``Refusal``: 403 below annotator; 409 ``not_finished``, ``nothing_found`` (no pixel of it is half opaque)
    and, when the checkpoint is gone meanwhile, 400 ``unknown_checkpoint``.
    """
    require_role(user, prediction.image.project, Role.ANNOTATOR)
    if prediction.status != JobStatus.FINISHED:
        raise Refusal("not_finished", "This layer is not there.", 409)
    if not prediction.area_share:
        raise Refusal("nothing_found", "The answer is empty: there is nothing to save.", 409)
    with transaction.atomic():
        # Whoever presses twice, or from two pages, waits here and finds the layer.
        Prediction.objects.select_for_update(of=("self",)).get(pk=prediction.pk)
        made = _row(user, prediction, label, depth)
        before = Layer.objects.filter(
            image=made.image, producer=made.producer, author=user, sha256=made.sha256, replaces=None
        ).first()
        if before is not None:
            return before, False
        made.save(force_insert=True)
        Prompt.objects.create(layer=made, **prediction.prompt)
    return made, True


def _row(user: Any, prediction: Prediction, label: str, depth: int) -> Layer:
    """Not saved. Its files are copies: the prediction's own are forgotten after some days."""
    with prediction.rgba.open("rb") as file:
        rgba = file.read()
    with prediction.visible_mask.open("rb") as file:
        visible = file.read()
    is_background = prediction.prompt["kind"] == PromptKind.BACKGROUND
    measured = measure(RGBALayer(decode_png(rgba), decode_png(visible) > 127))
    return Layer(
        project=prediction.image.project,
        image=prediction.image,
        producer=_producer(prediction.checkpoint),
        author=user,
        key="bg" if is_background else f"{depth:02d}",
        depth=depth,
        kind=LayerKind.BACKGROUND if is_background else LayerKind.FOREGROUND,
        label=label,
        status=LayerStatus.READY,
        sha256=prediction.sha256,
        rgba=store("layers", rgba, "png"),
        visible_mask=store("masks", visible, "png"),
        thumbnail=store("thumbnails", thumbnail_webp(decode_png(rgba), THUMBNAIL_PX), "webp"),
        box=list(measured.box),
        area_share=measured.area_share,
        hidden_share=measured.hidden_share,
        soft_share=measured.soft_share,
    )


def _producer(checkpoint: str) -> Producer:
    """By name and digest, so that a checkpoint trained further is another producer."""
    predictor = predictors.find(checkpoint, settings.CHECKPOINT_FOLDERS)
    if predictor.folder is None:
        kind, digest = Producer.Kind.RECIPE, recipes.cpu().digest
    else:
        kind, digest = Producer.Kind.CHECKPOINT, predictors.digest_of(predictor.folder)
    name = f"{predictor.name}@{digest[:8]}"
    return Producer.objects.get_or_create(name=name, defaults={"kind": kind, "digest": digest})[0]
