"""The dataset file format: accepted layers with their prompts and splits, every file named by its digest.

A dataset is a folder::

    manifest.json     the header: format, version, name, counts per split, digest, Merkle root, terms, code revision
    manifest.jsonl    one row per layer, sorted by id, canonical JSON, UTF-8, one line each
    images/ layers/ visible/     PNG files, <sha256>.png
    tombstones.jsonl  only where rows were deleted after the freeze: {"id", "deleted_at"} of each, one line each

A row::

    {"id": "...",                       unique; letters, digits and ._-
     "split": "train",                  train, validation or test; all rows of one ``group`` share it
     "group": "...",                    what must not be split: the source image, with its near-duplicates
     "stack": "...", "depth": 0,        rows of one stack lie over each other, 0 foremost; begins with the photo, then _
     "kind": "foreground",              or background
     "label": "cup",
     "source":  {"path": "images/<sha256>.png", "sha256": "...", "width": 640, "height": 480},
     "layer":   {"path": "layers/<sha256>.png", "sha256": "..."},      RGBA, straight alpha, size of the source
     "visible": {"path": "visible/<sha256>.png", "sha256": "..."},     grey, 255 = visible in the source
     "prompts": [...],                  as ``engine.folder_output.prompt_to_json`` writes them; at least one
     "origin": {...}}                   who made and who accepted it; any JSON, never read by training

Canonical JSON: keys sorted by code point, no spaces, characters beyond ASCII as they are, numbers as Python writes
them.

The digest is the SHA-256 of ``manifest.jsonl``. It covers every row and, through the rows, every file, so it names the
dataset: equal digests are equal data.

The Merkle root (``training.merkle``) also covers how the rows came to be. Its first leaf is the canonical JSON of
``{"code_revision", "name", "terms"}`` as in the header; then comes each line of ``manifest.jsonl`` without its newline.
``terms`` says by which rules a snapshot was frozen. Nothing else of the header is covered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from engine.folder_output import prompt_to_json, write_atomically
from engine.imaging import rle_to_mask, sha256
from engine.records import LayerKind, Prompt, PromptKind
from training.merkle import MerkleTree, leaf_hash

FORMAT = "rld-dataset"
VERSION = 1
ROWS, HEADER, TOMBSTONES = "manifest.jsonl", "manifest.json", "tombstones.jsonl"
SPLITS = ("train", "validation", "test")
_ID = re.compile(r"[\w.-]{1,120}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")


class BadManifest(ValueError):
    """A dataset that cannot be trusted: ``code`` for programs, one sentence for people.

    Codes: ``no_manifest``, ``bad_manifest`` (unreadable header or row, unknown version), ``split_leak`` (a group in two
    splits), ``digest_mismatch`` (rows or a file are not what was frozen), ``missing_file``.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class FileEntry:
    """``path`` relative to the dataset's folder, ``sha256`` of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SourceEntry(FileEntry):
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One layer of one picture, with every prompt that refers to it."""

    id: str
    split: str
    group: str
    kind: LayerKind
    label: str
    source: SourceEntry
    layer: FileEntry
    visible: FileEntry
    prompts: tuple[Prompt, ...]
    origin: Mapping[str, Any] = field(default_factory=dict)
    stack: str = ""
    depth: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "split": self.split,
            "group": self.group,
            "stack": self.stack,
            "depth": self.depth,
            "kind": self.kind.value,
            "label": self.label,
            "source": asdict(self.source),
            "layer": asdict(self.layer),
            "visible": asdict(self.visible),
            "prompts": [prompt_to_json(prompt) for prompt in self.prompts],
            "origin": dict(self.origin),
        }

    @property
    def files(self) -> tuple[FileEntry, FileEntry, FileEntry]:
        return self.source, self.layer, self.visible


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    digest: str
    rows: int
    splits: Mapping[str, int]
    created_at: str = ""
    """UTC, ISO 8601; not part of the digest, so freezing the same data twice gives the same digest."""
    code_revision: str = ""
    merkle_root: str = ""
    terms: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": VERSION, **asdict(self)}


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class RowSum:
    """Rows in, header out: checks and digests them as they come, in memory that does not grow with their content.

    ``name``, ``terms`` and ``code_revision`` are those of the header.
    """

    def __init__(self, name: str, terms: Mapping[str, Any], code_revision: str) -> None:
        self.name, self.terms, self.code_revision = name, terms, code_revision
        self.splits: Counter[str] = Counter()
        self._digest = hashlib.sha256()
        self._tree = MerkleTree()
        self._tree.add(leaf_hash(canonical({"code_revision": code_revision, "name": name, "terms": terms})))
        self._split_of: dict[str, str] = {}
        self._latest = ""

    def add(self, row: Mapping[str, Any], line: bytes) -> bytes:
        """``line`` is the canonical JSON of ``row``, without newline; returns its leaf hash. Raises as ``add_all``."""
        return self.add_all([row["id"]], [row["group"]], [row["split"]], [line])[0]

    def add_all(
        self, ids: Sequence[str], groups: Sequence[str], splits: Sequence[str], lines: Sequence[bytes]
    ) -> list[bytes]:
        """Rows that follow each other, column by column; returns the leaf hashes of their lines.

        Raises ``BadManifest`` for an id that comes twice or out of order, and for a group in two splits.
        """
        for earlier, later in pairwise(chain((self._latest,), ids)):
            if later <= earlier:
                problem = "comes more than once" if later == earlier else "is out of order"
                raise BadManifest("bad_manifest", f"The id {later} {problem}.")
        for group, split in set(zip(groups, splits, strict=True)):
            if (other := self._split_of.setdefault(group, split)) != split:
                raise BadManifest("split_leak", f"Group {group} is in {other} and in {split}.")
        self._latest = ids[-1]
        self.splits.update(splits)
        self._digest.update(b"\n".join(lines) + b"\n")
        leaves = list(map(leaf_hash, lines))
        for leaf in leaves:
            self._tree.add(leaf)
        return leaves

    def header(self, created_at: str = "") -> Header:
        return Header(
            name=self.name,
            digest=self._digest.hexdigest(),
            rows=self.splits.total(),
            splits=dict(sorted(self.splits.items())),
            created_at=created_at,
            code_revision=self.code_revision,
            merkle_root=self._tree.root(),
            terms=self.terms,
        )


def prompt_from_json(data: Mapping[str, Any]) -> Prompt:
    """The inverse of ``engine.folder_output.prompt_to_json``."""
    box = data.get("box")
    return Prompt(
        kind=PromptKind(data["kind"]),
        points=tuple((float(x), float(y)) for x, y in data.get("points", ())),
        box=None if box is None else (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        mask_hw=None if data.get("mask") is None else rle_to_mask(data["mask"]),
        text=str(data.get("text", "")),
        is_ambiguous=bool(data.get("is_ambiguous", False)),
    )


def _file(data: Mapping[str, Any]) -> FileEntry:
    entry = FileEntry(str(data["path"]), str(data["sha256"]))
    _check_file(entry)
    return entry


def _check_file(entry: FileEntry) -> None:
    path = Path(entry.path)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{entry.path} lies outside the dataset")
    if not _DIGEST.fullmatch(entry.sha256):
        raise ValueError(f"{entry.sha256!r} is no SHA-256")


def row_from_json(data: Mapping[str, Any]) -> Row:
    """Raises ``BadManifest`` (``bad_manifest``) when something is missing or makes no sense."""
    try:
        source = data["source"]
        row = Row(
            id=str(data["id"]),
            split=str(data["split"]),
            group=str(data["group"]),
            kind=LayerKind(data["kind"]),
            label=str(data["label"]),
            source=SourceEntry(source["path"], source["sha256"], int(source["width"]), int(source["height"])),
            layer=_file(data["layer"]),
            visible=_file(data["visible"]),
            prompts=tuple(prompt_from_json(prompt) for prompt in data["prompts"]),
            origin=data.get("origin", {}),
            stack=str(data.get("stack", "")),
            depth=int(data.get("depth", 0)),
        )
        _check_file(row.source)
        if not _ID.fullmatch(row.id):
            raise ValueError(f"{row.id!r} is no id")
        if row.split not in SPLITS:
            raise ValueError(f"split is {', '.join(SPLITS)}, not {row.split!r}")
        if not row.prompts:
            raise ValueError("no prompt")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = data.get("id", "?") if isinstance(data, Mapping) else "?"
        raise BadManifest("bad_manifest", f"Row {name}: {error!s}.") from error
    return row


def write(
    folder: Path,
    name: str,
    rows: Iterable[Row],
    created_at: str = "",
    code_revision: str = "",
    terms: Mapping[str, Any] | None = None,
) -> Header:
    """Write header and rows, each file atomically, the header last; the picture files are the caller's.

    Raises ``BadManifest`` for an id that comes twice or a group in two splits; nothing is written then.
    """
    total = RowSum(name, terms or {}, code_revision)
    lines = []
    for row in sorted(rows, key=lambda row: row.id):
        data = row.to_json()
        lines.append(canonical(data))
        total.add(data, lines[-1])
    header = total.header(created_at)
    write_atomically(folder / ROWS, b"".join(line + b"\n" for line in lines))
    write_atomically(folder / HEADER, header_bytes(header))
    return header


def header_bytes(header: Header) -> bytes:
    return json.dumps(header.to_json(), indent=2, sort_keys=True).encode() + b"\n"


def read(folder: Path) -> tuple[Header, list[Row]]:
    """Header and all rows, the rows checked against the header's digest. Raises ``BadManifest``.

    Picture files are not opened; ``verify`` does that.
    """
    try:
        document = json.loads((folder / HEADER).read_bytes())
        lines = (folder / ROWS).read_bytes()
    except OSError as error:
        raise BadManifest("no_manifest", f"{folder} is no dataset: {error}.") from error
    except ValueError as error:
        raise BadManifest("bad_manifest", f"{folder / HEADER} is no JSON: {error}.") from error
    header = header_from_json(document, str(folder / HEADER))
    rows = [row_from_json(data) for data, _ in checked_rows(lines.splitlines(), header)]
    gone = tombstones(folder)
    return header, [row for row in rows if row.id not in gone]


def header_from_json(document: Any, where: str) -> Header:
    """Raises ``BadManifest`` (``bad_manifest``) that names ``where``."""
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("version") != VERSION:
        raise BadManifest("bad_manifest", f"{where} is not {FORMAT} version {VERSION}.")
    try:
        return Header(**{entry.name: document[entry.name] for entry in fields(Header)})
    except KeyError as error:
        raise BadManifest("bad_manifest", f"{where} lacks {error}.") from error


def checked_rows(lines: Iterable[bytes], header: Header) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Each row with its line; after the last one ``BadManifest`` (``digest_mismatch``) unless the header fits them."""
    total = RowSum(header.name, header.terms, header.code_revision)
    for number, line in enumerate(lines, 1):
        line = line.rstrip(b"\n")
        try:
            data = json.loads(line)
            total.add(data, line)
        except (ValueError, KeyError, TypeError) as error:
            if isinstance(error, BadManifest):
                raise
            raise BadManifest("bad_manifest", f"Line {number} of {ROWS} is no row: {error}.") from error
        yield data, line
    found = total.header()
    if found.digest != header.digest or found.merkle_root != header.merkle_root:
        raise BadManifest("digest_mismatch", f"{ROWS} is not what the header was written for.")


def tombstones(folder: Path) -> set[str]:
    """Ids of rows that were deleted after the freeze; their files need not be there."""
    path = folder / TOMBSTONES
    return {json.loads(line)["id"] for line in path.read_bytes().splitlines()} if path.is_file() else set()


def verify(folder: Path) -> Iterator[FileEntry]:
    """Recompute every digest; yields each distinct file once it was found right. Raises ``BadManifest``."""
    _, rows = read(folder)
    seen: set[str] = set()
    for row in rows:
        for entry in row.files:
            if entry.path in seen:
                continue
            seen.add(entry.path)
            path = folder / entry.path
            if not path.is_file():
                raise BadManifest("missing_file", f"{entry.path} of row {row.id} is not there.")
            if sha256(path.read_bytes()) != entry.sha256:
                raise BadManifest("digest_mismatch", f"{entry.path} of row {row.id} has other bytes than were frozen.")
            yield entry
