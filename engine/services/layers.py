"""Layers: made once by a run, and their status, changed only here and only by compare-and-set."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from engine.imaging import encode_png, mask_to_rle, sha256, thumbnail_webp
from engine.measures import measure
from engine.models import Layer, LayerStatus, Producer, Prompt, RunItem, SourceImage
from engine.records import Instance, RGBALayer, Scene
from engine.services.files import store

THUMBNAIL_PX = 256
MOVES = {
    (LayerStatus.READY, LayerStatus.ACCEPTED),
    (LayerStatus.READY, LayerStatus.REJECTED),
    (LayerStatus.ACCEPTED, LayerStatus.READY),
    (LayerStatus.REJECTED, LayerStatus.READY),
    (LayerStatus.READY, LayerStatus.SUPERSEDED),
    (LayerStatus.REJECTED, LayerStatus.SUPERSEDED),
    (LayerStatus.ACCEPTED, LayerStatus.SUPERSEDED),
}


def set_layer_status(layer_id: uuid.UUID, *, expected: str, status: str) -> bool:
    """Move a layer from one status to another; ``False`` when it was not in the expected one.

    Raises ``ValueError`` for a move that does not exist: a dropped layer never comes to people by itself, and nothing
    brings a superseded one back.
    """
    return set_layers_status([layer_id], expected=expected, status=status) == 1


def set_layers_status(layer_ids: Collection[uuid.UUID], *, expected: str, status: str) -> int:
    """The same for many at once; returns how many moved."""
    if (expected, status) not in MOVES:
        raise ValueError(f"a layer does not go from {expected} to {status}")
    return Layer.objects.filter(pk__in=layer_ids, status=expected).update(status=status)


def prepare_layers(item: RunItem, scene: Scene) -> tuple[list[Layer], list[Prompt]]:
    """Store the files of all finished layers of a scene and make their rows, not saved yet: ``ready``, or ``dropped``
    with the post-filter's reason.

    Encoding takes a while, so it happens before the transaction that publishes. Files are content-addressed: a
    worker that dies in between leaves bytes that the retry finds and uses.
    """
    layers, prompts = [], []
    for depth, instance in enumerate(scene.instances):
        if instance.layer is None:
            continue
        layer = _layer_row(item, instance, depth)
        layers.append(layer)
        prompts += [_prompt_row(layer, instance, number) for number in range(len(instance.prompts))]
    return layers, prompts


def publish_layers(layers: list[Layer], prompts: list[Prompt]) -> None:
    """Save prepared rows. The caller holds the item's lease in the same transaction, so no layer is made twice."""
    Layer.objects.bulk_create(layers)
    Prompt.objects.bulk_create(prompts)


def unsaved_layer(*, image: SourceImage, producer: Producer, layer: RGBALayer, **facts: Any) -> Layer:
    """Store the files of a finished layer and make its row, not saved yet."""
    rgba = layer.rgba_hwc
    png, measured = encode_png(rgba), measure(layer)
    return Layer(
        project_id=image.project_id,
        image=image,
        producer=producer,
        sha256=sha256(png),
        rgba=store("layers", png, "png"),
        visible_mask=store("masks", encode_png(layer.visible_hw), "png"),
        thumbnail=store("thumbnails", thumbnail_webp(rgba, THUMBNAIL_PX), "webp"),
        box=list(measured.box),
        area_share=measured.area_share,
        hidden_share=measured.hidden_share,
        soft_share=measured.soft_share,
        **facts,
    )


def _layer_row(item: RunItem, instance: Instance, depth: int) -> Layer:
    assert instance.layer is not None
    return unsaved_layer(
        image=item.image,
        producer=item.run.producer,
        layer=instance.layer,
        item=item,
        key=instance.key,
        depth=depth,
        kind=instance.kind.value,
        label=instance.label[:120],
        status=LayerStatus.READY if instance.is_kept else LayerStatus.DROPPED,
        drop_reason=instance.drop_reason[:120],
        scores=instance.scores,
    )


def _prompt_row(layer: Layer, instance: Instance, number: int) -> Prompt:
    prompt = instance.prompts[number]
    return Prompt(
        layer=layer,
        kind=prompt.kind.value,
        points=[list(point) for point in prompt.points],
        box=None if prompt.box is None else list(prompt.box),
        mask=None if prompt.mask_hw is None else mask_to_rle(prompt.mask_hw),
        text=prompt.text[:400],
        is_ambiguous=prompt.is_ambiguous,
    )
