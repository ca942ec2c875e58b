"""The numbers of a chart: the same table on its page and as a CSV file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

from frontend.views.csv_files import csv_file


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` are numbers, texts and ``None``, ready for a CSV file."""

    title: str
    head: list[str]
    rows: list[list[Any]]


def csv_answer(tables: Mapping[str, Callable[[], Table]], name: str, about: str) -> StreamingHttpResponse:
    """One of a page's tables as a file; ``about`` begins its name. Raises ``Http404`` for a name that is not there."""
    if name not in tables:
        raise Http404("there is no such table")
    found = tables[name]()
    return csv_file(f"{slugify(about)}-{name}-{timezone.now():%Y%m%d}.csv", found.head, found.rows)


def rounded(value: float | None, places: int = 4) -> float | None:
    """So many places are more than any interval allows."""
    return None if value is None else round(value, places)
