"""CSV files, written line by line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A CSV file of this name with a line of columns."""
    writer = csv.writer(_Echo())
    lines = (writer.writerow([_cell(cell) for cell in row]) for row in chain([columns], rows))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> Any:
    """Spreadsheets run a text that begins like a formula; people choose names and labels."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


class _Echo:
    """A file for ``csv`` that hands every line back."""

    def write(self, line: str) -> str:
        return line
