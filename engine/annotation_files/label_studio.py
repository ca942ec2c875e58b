"""Label Studio's JSON export: a list of tasks; coordinates are percent of the picture as it was shown."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from engine.annotation_files import masks
from engine.annotation_files.fields import (
    BadAnnotations,
    Pictures,
    base_name,
    need,
    number,
    numbers,
    picture_size,
)
from engine.imaging import box_of, clip_box
from engine.records import Box, GivenPrompt, Mask

_PICTURE_NAME = re.compile(r"\.(jpe?g|png|webp|tiff?|hei[cf]|avif|bmp|gif)$", re.IGNORECASE)
_UPLOAD_HASH = re.compile(r"^[0-9a-f]{8}-")
_SHAPES = ("rectangle", "polygon", "ellipse", "brush")


def pictures(tasks: list[Any]) -> Pictures:
    """One builder per task, keyed by the picture's file name, the prefix that uploads get taken off.

    Of several people's annotations the first that was not cancelled counts. Key points and other
    shapes are passed over. A text area on a region is its caption; one on the picture goes to
    its object when there is exactly one.
    """
    found: Pictures = {}
    for i, task in enumerate(tasks):
        where = f"Task {i}"
        name = _file_name(task, where)
        if name in found:
            raise BadAnnotations(f'{where}: another picture is called "{name}" too.')
        annotations = need(task, "annotations", list, where)
        done = [a for a in annotations if isinstance(a, dict) and not a.get("was_cancelled")]
        results = need(done[0], "result", list, where) if done else []
        found[name] = partial(_given, results, where)
    return found


def _file_name(task: Any, where: str) -> str:
    data = need(task, "data", dict, where)
    texts = [value for value in data.values() if isinstance(value, str)]
    for text in texts:
        link = urlsplit(text)
        path = parse_qs(link.query).get("d", [unquote(link.path)])[0]
        if _PICTURE_NAME.search(path):
            name = base_name(path)
            return _UPLOAD_HASH.sub("", name) if "/upload/" in path else name
    raise BadAnnotations(f'{where}: nothing in "data" is the address of a picture.')


def _given(results: list[Any], task: str) -> tuple[GivenPrompt, ...]:
    regions: dict[str, list[dict[str, Any]]] = {}
    for j, result in enumerate(results):
        if isinstance(result, dict) and result.get("type") == "relation":
            continue
        regions.setdefault(need(result, "id", str, f"{task}, result {j}"), []).append(result)
    given: list[GivenPrompt] = []
    captions: list[str] = []
    for key, parts in regions.items():
        where = f"{task}, region {key}"
        caption = " ".join(_texts(parts))
        shape = next((part for part in parts if _shape_of(part) is not None), None)
        if shape is None:
            captions += [caption] if caption and not any("original_width" in part for part in parts) else []
            continue
        box, mask = _geometry(shape, where)
        if box is not None or mask is not None:
            given.append(GivenPrompt(_label(parts), box, mask, caption=caption))
    if len(given) == 1 and captions and not given[0].caption:
        given = [GivenPrompt(given[0].label, given[0].box, given[0].mask_hw, caption=captions[0])]
    return tuple(given)


def _shape_of(part: dict[str, Any]) -> str | None:
    """``rectangle`` for both ``rectangle`` and ``rectanglelabels``; ``None`` for choices, texts and the like."""
    kind = str(part.get("type")).removesuffix("labels")
    return kind if kind in _SHAPES else None


def _label(parts: list[dict[str, Any]]) -> str:
    for part in parts:
        value = part.get("value")
        for key, names in value.items() if isinstance(value, dict) else ():
            if key.endswith("labels") and isinstance(names, list) and names and isinstance(names[0], str):
                return names[0]
    return "object"


def _texts(parts: list[dict[str, Any]]) -> list[str]:
    texts = [part["value"].get("text") for part in parts if isinstance(part.get("value"), dict)]
    flat = [line for text in texts for line in (text if isinstance(text, list) else [text])]
    return [line.strip() for line in flat if isinstance(line, str) and line.strip()]


def _geometry(part: dict[str, Any], where: str) -> tuple[Box | None, Mask | None]:
    if part.get("image_rotation"):
        raise BadAnnotations(f"{where}: the picture was turned in Label Studio; its coordinates cannot be used.")
    width, height = picture_size(part, "original_width", "original_height", where)
    value = need(part, "value", dict, where)
    kind = _shape_of(part)
    if kind == "rectangle":
        return _rectangle(value, width, height, where)
    if kind == "polygon":
        corners = [numbers(point, f"{where}, points", 2) for point in need(value, "points", list, where)]
        if len(corners) < 3:
            raise BadAnnotations(f"{where}: a polygon needs three points or more.")
        mask = masks.from_polygons([[(x * width / 100, y * height / 100) for x, y in corners]], height, width)
    elif kind == "ellipse":
        x, y, radius_x, radius_y = (number(value, key, where) for key in ("x", "y", "radiusX", "radiusY"))
        if min(radius_x, radius_y) <= 0:
            raise BadAnnotations(f"{where}: an ellipse needs positive radii.")
        centre, radii = (x * width / 100, y * height / 100), (radius_x * width / 100, radius_y * height / 100)
        mask = masks.from_ellipse(centre, radii, number(value, "rotation", where, 0.0), height, width)
    else:
        mask = _brush(value, width, height, where)
    return box_of(mask), mask if mask.any() else None


def _rectangle(value: dict[str, Any], width: int, height: int, where: str) -> tuple[Box | None, Mask | None]:
    """A turned rectangle, which Label Studio turns clockwise about its top left corner, is a mask."""
    x, y, w, h = (number(value, key, where) for key in ("x", "y", "width", "height"))
    left, top, across, down = x * width / 100, y * height / 100, w * width / 100, h * height / 100
    if across < 0 or down < 0:
        raise BadAnnotations(f"{where}: the box has a negative size.")
    turn = np.radians(number(value, "rotation", where, 0.0))
    if turn == 0.0:
        return clip_box((left, top, left + across, top + down), width, height), None
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    corners = [(0.0, 0.0), (across, 0.0), (across, down), (0.0, down)]
    turned = [(left + a * cos - b * sin, top + a * sin + b * cos) for a, b in corners]
    mask = masks.from_polygons([turned], height, width)
    return box_of(mask), mask if mask.any() else None


def _brush(value: dict[str, Any], width: int, height: int, where: str) -> Mask:
    try:
        return masks.from_brush(bytes(need(value, "rle", list, where)), height, width)
    except BadAnnotations:
        raise
    except (ValueError, TypeError) as error:
        raise BadAnnotations(f"{where}: {error}.") from error
