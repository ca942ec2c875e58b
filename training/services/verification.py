"""Recompute every digest of a snapshot from what is stored."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone

from engine.imaging import sha256
from training.manifest import ROWS, BadManifest, checked_rows
from training.models import Snapshot
from training.services.freezing import bury_missing
from training.services.frozen_files import deleted_rows, header_of, manifest_files, read_stored

LISTED = 100


@dataclass
class Verification:
    """``files`` were read and are right; ``deleted`` rows have a tombstone and are not looked for.

    ``problems``: the first hundred as sentences; ``found`` of all kinds.
    """

    rows: int = 0
    files: int = 0
    deleted: int = 0
    found: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        self.found += 1
        if len(self.problems) < LISTED:
            self.problems.append(problem)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "files": self.files,
            "deleted_rows": self.deleted,
            "problems_found": self.found,
            "problems": self.problems,
        }


def verify_snapshot(snapshot: Snapshot, result: Verification) -> Iterator[int]:
    """Fill ``result``; yields the rows done. The manifest, its header and its items must agree, and every file with it.

    Each picture file is read once for neighbouring rows. The outcome is kept with the snapshot.
    """
    bury_missing(snapshot)
    gone = deleted_rows(snapshot)
    items = snapshot.items.order_by("row").values_list("row", flat=True)
    if (count := items.count()) != snapshot.rows:
        result.add(f"The snapshot says {snapshot.rows} rows and has {count} items.")
    with tempfile.TemporaryDirectory() as folder:
        try:
            lines = manifest_files(snapshot, Path(folder))[ROWS]
            with lines.open("rb") as opened:
                yield from _check_rows(checked_rows(opened, header_of(snapshot)), gone, result)
        except FileNotFoundError:
            result.add("The manifest is not stored any more.")
        except (BadManifest, json.JSONDecodeError) as error:
            result.add(str(error))
    Snapshot.objects.filter(pk=snapshot.pk).update(verified_at=timezone.now(), problems=result.found)


def _check_rows(rows: Iterator[tuple[dict[str, Any], bytes]], gone: set[str], result: Verification) -> Iterator[int]:
    latest = ""
    for row, _ in rows:
        result.rows += 1
        if row["id"] in gone:
            result.deleted += 1
            continue
        for kind in ("source", "layer", "visible"):
            digest = row[kind]["sha256"]
            if kind == "source" and digest == latest:
                continue
            try:
                data = read_stored(kind, digest)
            except BadManifest as error:
                result.add(f"Row {row['id']}: {error}")
                continue
            if sha256(data) == digest:
                result.files += 1
            else:
                result.add(f"Row {row['id']}: the {kind} has other bytes than were frozen.")
        latest = row["source"]["sha256"]
        yield result.rows
