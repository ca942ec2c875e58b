"""CSV files as the pages hand them out."""

from __future__ import annotations

import csv
import io
from typing import Any


def csv_of(client: Any, address: str) -> list[dict[str, str]]:
    """Its rows by column."""
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"].startswith("attachment;")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
