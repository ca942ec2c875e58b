"""The stored files of a snapshot: its manifest, and the pictures that rows speak of."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage

from training.exports.base import Sample, checked
from training.manifest import HEADER, ROWS, TOMBSTONES, BadManifest, Header, header_bytes
from training.models import Snapshot

FOLDERS = {"source": "pictures", "layer": "layers", "visible": "masks"}


def header_of(snapshot: Snapshot) -> Header:
    return Header(
        name=snapshot.name,
        digest=snapshot.digest,
        rows=snapshot.rows,
        splits=snapshot.splits,
        created_at=f"{snapshot.finished_at:%Y-%m-%dT%H:%M:%SZ}",
        code_revision=snapshot.code_revision,
        merkle_root=snapshot.merkle_root,
        terms=snapshot.terms,
    )


def manifest_files(snapshot: Snapshot, folder: Path) -> dict[str, Path]:
    """Header, lines and tombstones as files of this machine, by their names in a dataset."""
    files = {name: folder / name for name in (HEADER, ROWS)}
    with default_storage.open(str(snapshot.manifest)) as stored, files[ROWS].open("wb") as lines:
        shutil.copyfileobj(stored, lines, 1 << 20)
    files[HEADER].write_bytes(header_bytes(header_of(snapshot)))
    gone = snapshot.items.exclude(deleted_at=None).order_by("row").values_list("row", "deleted_at")
    if gone:
        files[TOMBSTONES] = folder / TOMBSTONES
        stones = [{"id": row, "deleted_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"} for row, at in gone]
        files[TOMBSTONES].write_text("".join(json.dumps(stone) + "\n" for stone in stones))
    return files


def deleted_rows(snapshot: Snapshot) -> set[str]:
    return set(snapshot.items.exclude(deleted_at=None).values_list("row", flat=True))


def loader() -> Callable[[Mapping[str, Any]], Sample]:
    """Reads the samples of rows, checked; the photograph of the last row is kept, as its neighbours share it.

    Raises ``BadManifest``: ``missing_file``, ``digest_mismatch``.
    """
    latest: dict[str, bytes] = {}

    def load(row: Mapping[str, Any]) -> Sample:
        digest = row["source"]["sha256"]
        if digest not in latest:
            latest.clear()
            latest[digest] = read_stored("source", digest)
        layer, visible = (read_stored(kind, row[kind]["sha256"]) for kind in ("layer", "visible"))
        return checked(Sample(row, latest[digest], layer, visible))

    return load


def read_stored(kind: str, digest: str) -> bytes:
    try:
        with default_storage.open(f"{FOLDERS[kind]}/{digest[:2]}/{digest}.png") as file:
            data: bytes = file.read()
            return data
    except FileNotFoundError as error:
        raise BadManifest("missing_file", f"The {kind} {digest} is not stored any more.") from error


def manifest_size(snapshot: Snapshot) -> int:
    return default_storage.size(str(snapshot.manifest))
