"""What all formats share: samples, parts, and the promise of a writer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Protocol

from engine.imaging import sha256
from training.manifest import BadManifest, Header, row_from_json

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A row of the manifest (``training.manifest``) as JSON data, with the bytes of its three PNG files."""

    row: Mapping[str, Any]
    source: bytes
    layer: bytes
    visible: bytes

    @property
    def photo(self) -> str:
        return photo_of(self.row)


@dataclass(frozen=True, slots=True)
class Part:
    """``rows`` rows of one split, from byte ``offset`` of the manifest's lines on.

    ``number`` counts parts within the split; ``first_row`` and ``first_photo`` count from 1 over the whole export.
    """

    split: str
    number: int
    offset: int
    rows: int
    first_row: int
    first_photo: int

    @property
    def name(self) -> str:
        return f"{self.split}-{self.number:05d}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of an export in order, and all labels, sorted."""

    parts: list[Part]
    labels: list[str]


Open = Callable[[str], IO[bytes]]
"""Opens a file that an earlier part has written."""


class Writer(Protocol):
    def part(self, part: Part, plan: Plan, samples: Iterator[Sample], out: Path) -> None:
        """Write the files of one part into ``out``; the same part always gives the same bytes."""

    def closing(self, plan: Plan, header: Header, opened: Open, out: Path) -> None:
        """Write what belongs to the whole: cards, indices. The manifest is not the writer's."""


class Reader(Protocol):
    def __call__(self, folder: Path) -> Iterator[Sample]: ...


def photo_of(row: Mapping[str, Any]) -> str:
    photo: str = row["stack"].partition("_")[0]
    return photo


def plan_parts(lines: IO[bytes], part_rows: int) -> Plan:
    """Cut the rows of each split into parts of at least ``part_rows`` rows, the last fewer; photos stay whole."""
    parts: dict[str, list[Part]] = {split: [] for split in SPLITS}
    latest: dict[str, str] = {}
    photos: dict[str, int] = dict.fromkeys(SPLITS, 0)
    labels: set[str] = set()
    offset = 0
    for line in lines:
        row = json.loads(line)
        split, photo = row["split"], photo_of(row)
        own = parts[split]
        is_new = latest.get(split) != photo
        if not own or (is_new and own[-1].rows >= part_rows):
            first_row = 1 + sum(part.rows for part in own)
            own.append(Part(split, len(own), offset, 0, first_row, photos[split] + 1))
        photos[split] += is_new
        latest[split] = photo
        last = own[-1]
        own[-1] = Part(last.split, last.number, last.offset, last.rows + 1, last.first_row, last.first_photo)
        labels.add(row["label"])
        offset += len(line)
    return Plan(_numbered(parts, photos), sorted(labels))


def _numbered(parts: Mapping[str, list[Part]], photos: Mapping[str, int]) -> list[Part]:
    """Rows and photos counted on from one split to the next."""
    done, rows, seen = [], 0, 0
    for split in SPLITS:
        for part in parts[split]:
            first_row, first_photo = rows + part.first_row, seen + part.first_photo
            done.append(Part(part.split, part.number, part.offset, part.rows, first_row, first_photo))
        rows += sum(part.rows for part in parts[split])
        seen += photos[split]
    return done


def rows_of_part(lines: IO[bytes], part: Part, gone: Collection[str]) -> Iterator[dict[str, Any]]:
    """The rows of a part but for those that are ``gone``: deleted after the freeze."""
    lines.seek(part.offset)
    left = part.rows
    for line in lines:
        row = json.loads(line)
        if row["split"] == part.split:
            if row["id"] not in gone:
                yield row
            left -= 1
            if not left:
                return


def by_photo(samples: Iterable[Sample]) -> Iterator[tuple[str, Iterator[Sample]]]:
    return groupby(samples, key=lambda sample: sample.photo)


def by_stack(samples: Iterable[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    for stack, some in groupby(samples, key=lambda sample: str(sample.row["stack"])):
        yield stack, list(some)


def checked(sample: Sample) -> Sample:
    """The sample, if its files are what the row says. Raises ``BadManifest`` (``digest_mismatch``)."""
    for name, data in (("source", sample.source), ("layer", sample.layer), ("visible", sample.visible)):
        if sha256(data) != sample.row[name]["sha256"]:
            problem = f"The {name} of row {sample.row['id']} has other bytes than were frozen."
            raise BadManifest("digest_mismatch", problem)
    return sample


def known_row(data: Any) -> dict[str, Any]:
    """The row of a foreign file, if it is one (``training.manifest.row_from_json``); readers ask before any path."""
    row_from_json(data)
    return dict(data)


def inside(folder: Path, name: str) -> Path:
    """A path in the folder. Raises ``BadManifest`` for one that leads out of it."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadManifest("bad_manifest", f"{name} lies outside the dataset.")
    return path


def write_file(out: Path, name: str, data: bytes) -> None:
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
