"""Layers of an exported dataset become layers of a project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from engine.imaging import decode_png, sha256, thumbnail_webp
from engine.measures import measure
from engine.models import Layer, LayerStatus, Producer, Project, Prompt, SourceImage
from engine.records import RGBALayer
from engine.refusals import Refusal
from engine.services.files import store
from engine.services.images import import_image
from engine.services.layers import THUMBNAIL_PX
from training.exports.base import Sample
from training.exports.formats import reader_for, recognise
from training.manifest import BadManifest


@dataclass
class ImportCount:
    """``present``: layers with the same bytes that this picture had already."""

    pictures: int = 0
    layers: int = 0
    present: int = 0


def import_dataset(
    *, project: Project, folder: Path, count: ImportCount, is_accepted: bool = False, user: Any = None
) -> Iterator[int]:
    """Import a folder in any format of ``training.exports``; yields the layers done, and fills ``count``.

    Layers come as ``ready``, for the people here to judge, or with ``is_accepted`` as accepted on the dataset's word.
    Each layer is stored whole or not at all, and one that is there is left alone, so a stopped import is simply run
    again. Raises ``Refusal``: a code of ``BadManifest``, or of ``engine.services.images.import_image``.
    """
    try:
        samples = reader_for(recognise(folder))(folder)
        for number, sample in enumerate(samples, 1):
            _import(project, sample, count, is_accepted, user)
            yield number
    except BadManifest as error:
        raise Refusal(error.code, str(error)) from error


def _import(project: Project, sample: Sample, count: ImportCount, is_accepted: bool, user: Any) -> None:
    row = sample.row
    origin = row.get("origin", {})
    imported = import_image(
        project=project,
        data=sample.source,
        name=f"{sample.photo}.png",
        user=user,
        credit=str(origin.get("credit", "")),
        licence=str(origin.get("licence", "")),
    )
    count.pictures += imported.is_new
    image = imported.image
    producer, _ = Producer.objects.get_or_create(
        name=f"imported {origin.get('producer', 'layers')}"[:120], defaults={"kind": Producer.Kind.IMPORTED}
    )
    digest = sha256(sample.layer)
    if Layer.objects.filter(image=image, sha256=digest, key=_key(row), producer=producer).exists():
        count.present += 1
        return
    rgba, visible = decode_png(sample.layer), decode_png(sample.visible) > 127
    if rgba.shape != (image.height, image.width, 4) or visible.shape != rgba.shape[:2]:
        raise BadManifest("bad_manifest", f"The pictures of row {row['id']} do not fit together.")
    layer = _layer(image, producer, sample, digest, RGBALayer(rgba, visible))
    layer.status = LayerStatus.ACCEPTED if is_accepted else LayerStatus.READY
    with transaction.atomic():
        layer.save()
        Prompt.objects.bulk_create([Prompt(layer=layer, **prompt) for prompt in row["prompts"]])
    count.layers += 1


def _layer(image: SourceImage, producer: Producer, sample: Sample, digest: str, layer: RGBALayer) -> Layer:
    row = sample.row
    measured = measure(layer)
    return Layer(
        project=image.project,
        image=image,
        producer=producer,
        key=_key(row),
        depth=row.get("depth", 0),
        kind=row["kind"],
        label=row["label"][:120],
        sha256=digest,
        rgba=store("layers", sample.layer, "png"),
        visible_mask=store("masks", sample.visible, "png"),
        thumbnail=store("thumbnails", thumbnail_webp(layer.rgba_hwc, THUMBNAIL_PX), "webp"),
        box=list(measured.box),
        area_share=measured.area_share,
        hidden_share=measured.hidden_share,
        soft_share=measured.soft_share,
    )


def _key(row: Any) -> str:
    return "bg" if row["kind"] == "background" else f"{row.get('depth', 0):02d}"
