"""The dataset folder that training reads: ``images/``, ``layers/``, ``visible/`` beside the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from training.exports.base import Open, Part, Plan, Sample, checked, inside, known_row, write_file
from training.manifest import HEADER, ROWS, BadManifest, Header, checked_rows, header_from_json, tombstones


class Folder:
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        for sample in samples:
            for name, data in (("source", sample.source), ("layer", sample.layer), ("visible", sample.visible)):
                write_file(out, sample.row[name]["path"], data)

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        pass


def read(folder: Path) -> Iterator[Sample]:
    """Samples of a dataset folder, tombstones left out. Raises ``BadManifest``."""
    try:
        header = header_from_json(json.loads((folder / HEADER).read_bytes()), HEADER)
        gone = tombstones(folder)
        with (folder / ROWS).open("rb") as lines:
            for row, _ in checked_rows(lines, header):
                if row["id"] not in gone:
                    names = (known_row(row)[name]["path"] for name in ("source", "layer", "visible"))
                    yield checked(Sample(row, *(inside(folder, name).read_bytes() for name in names)))
    except OSError as error:
        raise BadManifest("missing_file", f"{error.filename} cannot be read: {error.strerror}.") from error
