"""COCO JSON (Lin et al. 2014): ``images``, ``annotations`` (instances and captions), ``categories``."""

from __future__ import annotations

from functools import partial
from typing import Any

from engine.annotation_files import masks
from engine.annotation_files.fields import BadAnnotations, Pictures, base_name, need, numbers, picture_size
from engine.imaging import clip_box, rle_to_mask
from engine.records import Box, GivenPrompt, Mask


def pictures(document: dict[str, Any]) -> Pictures:
    """One builder per picture, keyed by file name without folders.

    Crowd regions are many objects at once and boxes under a pixel are none: both are passed over.
    A caption of the whole picture goes to its object when there is exactly one.
    """
    labels = {
        _id(category, "id", f"Category {i}"): need(category, "name", str, f"Category {i}")
        for i, category in enumerate(_list(document, "categories"))
    }
    entries: dict[int | str, list[tuple[int, Any]]] = {}
    for i, annotation in enumerate(_list(document, "annotations")):
        entries.setdefault(_id(annotation, "image_id", f"Annotation {i}"), []).append((i, annotation))
    found: Pictures = {}
    for i, image in enumerate(_list(document, "images")):
        where = f"Image {i}"
        name = base_name(need(image, "file_name", str, where))
        if name in found:
            raise BadAnnotations(f'{where}: another picture is called "{name}" too; names must differ without folders.')
        size = picture_size(image, "width", "height", where)
        found[name] = partial(_given, entries.pop(_id(image, "id", where), []), size, labels)
    for orphans in entries.values():
        raise BadAnnotations(f'Annotation {orphans[0][0]}: no image has its "image_id".')
    return found


def _given(
    entries: list[tuple[int, Any]], size: tuple[int, int], labels: dict[int | str, str]
) -> tuple[GivenPrompt, ...]:
    given: list[GivenPrompt] = []
    captions: list[str] = []
    for i, annotation in entries:
        where = f"Annotation {i}"
        if "bbox" not in annotation and "segmentation" not in annotation:
            captions.append(need(annotation, "caption", str, where))
            continue
        if annotation.get("iscrowd"):
            continue
        category = _id(annotation, "category_id", where)
        if category not in labels:
            raise BadAnnotations(f'{where}: no category has its "category_id" {category}.')
        box = _box(annotation.get("bbox"), size, where)
        mask = _mask(annotation.get("segmentation"), size, where)
        if box is not None or mask is not None:
            caption = annotation.get("caption")
            given.append(GivenPrompt(labels[category], box, mask, caption=caption if isinstance(caption, str) else ""))
    if len(given) == 1 and captions and not given[0].caption:
        given = [GivenPrompt(given[0].label, given[0].box, given[0].mask_hw, caption=captions[0])]
    return tuple(given)


def _box(value: Any, size: tuple[int, int], where: str) -> Box | None:
    if not value:
        return None
    x, y, width, height = numbers(value, f"{where}, bbox", 4)
    if width < 0 or height < 0:
        raise BadAnnotations(f"{where}: the box has a negative size.")
    return clip_box((x, y, x + width, y + height), *size)


def _mask(value: Any, size: tuple[int, int], where: str) -> Mask | None:
    if not value:
        return None
    width, height = size
    if isinstance(value, dict):
        counts = value.get("counts")
        if value.get("size") != [height, width]:
            raise BadAnnotations(f"{where}: the mask does not have the size of its picture, {width} x {height}.")
        try:
            runs = masks.coco_counts(counts) if isinstance(counts, str) else [int(c) for c in numbers(counts, where)]
            mask = rle_to_mask({"size": [height, width], "counts": runs})
        except BadAnnotations:
            raise
        except ValueError as error:
            raise BadAnnotations(f"{where}: {error}.") from error
    elif isinstance(value, list):
        flat = [numbers(polygon, f"{where}, segmentation") for polygon in value]
        if any(len(polygon) < 6 or len(polygon) % 2 for polygon in flat):
            raise BadAnnotations(f"{where}: a polygon needs three points or more, as x and y.")
        mask = masks.from_polygons([list(zip(p[::2], p[1::2], strict=True)) for p in flat], height, width)
    else:
        raise BadAnnotations(f"{where}: the segmentation is neither polygons nor run lengths.")
    return mask if mask.any() else None


def _list(document: dict[str, Any], key: str) -> list[Any]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise BadAnnotations(f'"{key}" is not a list.')
    return value


def _id(record: Any, key: str, where: str) -> int | str:
    return need(record, key, int | str, where)  # type: ignore[arg-type]
