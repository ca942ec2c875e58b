"""Reading fields of a stranger's JSON: the right type, or a sentence that names the entry."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from engine.records import GivenPrompt

Pictures = dict[str, Callable[[], tuple[GivenPrompt, ...]]]

_T = TypeVar("_T")

_MOST_PIXELS = 100_000_000


class BadAnnotations(ValueError):
    """An annotation file that is refused as a whole."""

    code = "bad_annotations"


def need(record: Any, key: str, kind: type[_T], where: str) -> _T:
    if not isinstance(record, dict):
        raise BadAnnotations(f"{where} is not an object.")
    value = record.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadAnnotations(f'{where}: "{key}" is missing or of the wrong type.')
    return value


def numbers(values: Any, where: str, count: int | None = None) -> list[float]:
    """A list of finite numbers."""
    right = isinstance(values, list) and (count is None or len(values) == count)
    if not right or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise BadAnnotations(f"{where}: expected a list of {'' if count is None else f'{count} '}numbers.")
    if not all(abs(v) < 1e9 and math.isfinite(v) for v in values):
        raise BadAnnotations(f"{where}: a number is out of range.")
    return [float(v) for v in values]


def number(record: Any, key: str, where: str, default: float | None = None) -> float:
    if not isinstance(record, dict):
        raise BadAnnotations(f"{where} is not an object.")
    return numbers([record.get(key, default)], f'{where}, "{key}"', 1)[0]


def picture_size(record: Any, width_key: str, height_key: str, where: str) -> tuple[int, int]:
    """Width and height in pixels; bounded, as masks of this size will be allocated."""
    width, height = need(record, width_key, int, where), need(record, height_key, int, where)
    if width < 1 or height < 1 or width * height > _MOST_PIXELS:
        raise BadAnnotations(f"{where}: a picture of {width} x {height} pixels is out of range.")
    return width, height


def base_name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
