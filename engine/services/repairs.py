"""Repairs: drafts that save themselves, previews, and the new version that takes the old layer's place."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.functions import Now

from engine.imaging import encode_png, sha256, thumbnail_webp
from engine.measures import Measures, measure
from engine.models import Layer, LayerStatus, Producer, Repair, RepairStatus
from engine.records import RGBALayer
from engine.refusals import Refusal
from engine.repair.marks import BadMarks, Marks, marks_from_json, marks_to_json
from engine.repair.segmenter import load_segmenter
from engine.selectors.repairs import check_mendable, check_replaceable, pixels_of
from engine.services.files import store
from engine.services.layers import THUMBNAIL_PX, set_layer_status

if TYPE_CHECKING:
    from engine.repair.mending import Mended

PREVIEW_PX = 512
SEGMENTER = "grabcut"
MENDABLE = (LayerStatus.READY, LayerStatus.REJECTED, LayerStatus.ACCEPTED)


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The layer cut to ``box`` of the photo, at a reduced size; ``area_share`` of ``measures`` is of the photo."""

    box: tuple[int, int, int, int]
    layer: RGBALayer
    measures: Measures


def open_repair(*, user: Any, layer: Layer) -> tuple[Repair, bool]:
    """The person's open draft of this layer, or a new one (``True``). Raises ``Refusal`` as ``check_mendable``."""
    check_mendable(layer)
    return Repair.objects.get_or_create(layer=layer, author=user, status=RepairStatus.OPEN)


def save_marks(*, repair: Repair, data: Any) -> Repair:
    """Keep what was drawn so far. Raises ``Refusal`` 400 with the code of ``BadMarks``, 409 ``already_submitted``."""
    marks = marks_to_json(_read(repair.layer, data))
    if not Repair.objects.filter(pk=repair.pk, status=RepairStatus.OPEN).update(marks=marks, updated_at=Now()):
        raise _already_submitted()
    repair.refresh_from_db(fields=["marks", "updated_at"])
    return repair


def preview(*, repair: Repair, data: Any) -> Preview:
    """What the marks make of the layer, at most ``PREVIEW_PX`` large. Writes nothing. ``Refusal`` as ``save_marks``,
    and 400 ``empty_mask``."""
    mended = _mend(repair.layer, _read(repair.layer, data), PREVIEW_PX)
    measures = measure(mended.layer)
    x0, y0, x1, y1 = mended.box
    share = (x1 - x0) * (y1 - y0) / (repair.layer.image.width * repair.layer.image.height)
    whole = Measures(measures.box, measures.area_share * share, measures.hidden_share, measures.soft_share)
    return Preview(mended.box, mended.layer, whole)


def submit_repair(*, repair: Repair, client_id: str, data: Any = None) -> tuple[Layer, bool]:
    """The new version of the layer, ready to be judged by others; the old one is superseded. ``True``: just made.

    ``data``: the marks; those of the draft without. The same ``client_id`` again answers as the first time. One
    transaction: either all is changed or nothing. Raises ``Refusal``: 400 as ``preview`` and ``nothing_changed``; 409
    ``already_submitted``, or as ``check_replaceable``, also when the layer went on meanwhile: the draft is kept.
    """
    if repair.status == RepairStatus.SUBMITTED:
        return _submitted(repair, client_id), False
    check_replaceable(repair.author, repair.layer)
    marks = _read(repair.layer, repair.marks if data is None else data)
    if marks.is_empty:
        raise Refusal("nothing_changed", "Nothing is drawn yet.")
    made = _prepared(repair, marks)
    if made.sha256 == repair.layer.sha256:
        raise Refusal("nothing_changed", "This is the layer as it was.")
    with transaction.atomic():
        held = Repair.objects.select_for_update(of=("self",)).select_related("result").get(pk=repair.pk)
        if held.status == RepairStatus.SUBMITTED:
            return _submitted(held, client_id), False
        _supersede(repair)
        made.save(force_insert=True)
        _copy_prompts(repair.layer, made)
        held.marks, held.status, held.client_id, held.result = marks_to_json(marks), "submitted", client_id, made
        held.save(update_fields=["marks", "status", "client_id", "result", "updated_at"])
    return made, True


def discard_repair(repair: Repair) -> None:
    """Throw a draft away. Raises ``Refusal`` 409 ``already_submitted``."""
    if not Repair.objects.filter(pk=repair.pk, status=RepairStatus.OPEN).delete()[0]:
        raise _already_submitted()


def producer_of(user: Any) -> Producer:
    """The person as a producer, under a name that tells nothing of them."""
    defaults = {"kind": Producer.Kind.PERSON, "name": f"person-{secrets.token_hex(4)}"}
    return Producer.objects.get_or_create(person=user, defaults=defaults)[0]


def _read(layer: Layer, data: Any) -> Marks:
    try:
        return marks_from_json(data, layer.image.height, layer.image.width)
    except BadMarks as error:
        raise Refusal(error.code, str(error)) from error


def _mend(layer: Layer, marks: Marks, longest_px: int | None = None) -> Mended:
    # Stages and their compiled parts load on first use, not when the web process starts.
    from engine.repair.mending import EmptyMask, Subject, mend

    photo, old, cover, backdrop = pixels_of(layer)
    segmenter = load_segmenter(SEGMENTER)
    try:
        return mend(Subject(photo, old, cover, backdrop), marks, segmenter, longest_px=longest_px)
    except EmptyMask as error:
        raise Refusal("empty_mask", str(error)) from error


def _prepared(repair: Repair, marks: Marks) -> Layer:
    """The new version's files and row, not saved. Files are content-addressed: left behind, they do no harm."""
    from engine.repair.mending import at_full_size

    old = repair.layer
    layer = at_full_size(_mend(old, marks), old.image.height, old.image.width)
    png, measured = encode_png(layer.rgba_hwc), measure(layer)
    return Layer(
        project=old.project,
        image=old.image,
        producer=producer_of(repair.author),
        item_id=old.item_id,
        author=repair.author,
        replaces=old,
        origin_id=old.origin_id or old.producer_id,
        key=old.key,
        depth=old.depth,
        kind=old.kind,
        label=old.label,
        status=LayerStatus.READY,
        sha256=sha256(png),
        rgba=store("layers", png, "png"),
        visible_mask=store("masks", encode_png(layer.visible_hw), "png"),
        thumbnail=store("thumbnails", thumbnail_webp(layer.rgba_hwc, THUMBNAIL_PX), "webp"),
        box=list(measured.box),
        area_share=measured.area_share,
        hidden_share=measured.hidden_share,
        soft_share=measured.soft_share,
    )


def _supersede(repair: Repair) -> None:
    """By compare-and-set; the first of two repairs wins. The status is read anew: somebody may have accepted it."""
    layer = repair.layer
    layer.refresh_from_db(fields=["status"])
    check_replaceable(repair.author, layer)
    if layer.status in MENDABLE and set_layer_status(layer.pk, expected=layer.status, status=LayerStatus.SUPERSEDED):
        return
    layer.refresh_from_db(fields=["status"])
    check_replaceable(repair.author, layer)
    raise Refusal("layer_changed", "Somebody decided on this layer at this moment. Try again.", 409)


def _copy_prompts(old: Layer, new: Layer) -> None:
    for prompt in old.prompts.all():
        prompt.pk, prompt.layer = None, new
        prompt._state.adding = True
        prompt.save()


def _submitted(repair: Repair, client_id: str) -> Layer:
    if repair.client_id != client_id or repair.result is None:
        raise _already_submitted()
    return repair.result


def _already_submitted() -> Refusal:
    return Refusal("already_submitted", "This repair was handed in already.", 409)
