"""Files, folders and zip archives as one stream of named bytes, in constant memory.

A picture that cannot be taken is an item of the stream too, as ``BadPicture``: the rest goes on.
Nothing is ever written to disk, so a member's name can do no harm; a name that tries to climb out
of the archive is refused all the same, because it says something about the archive.
"""

from __future__ import annotations

import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from engine.decoding.picture import BadPicture, Limits

_CHUNK = 2**20
_SYSTEM_FOLDERS = ("__MACOSX",)
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")

NamedBytes = tuple[str, bytes | BadPicture]


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Of one zip archive. Bytes are counted while unpacking; what the archive claims is not believed."""

    max_members: int = 20_000
    max_total_bytes: int = 20 * 2**30
    max_ratio: float = 200.0
    """Unpacked to packed size of one member; pictures are packed already, 1,000 is what zeros give."""
    ratio_matters_from_bytes: int = 4 * 2**20


def expand(
    paths: Iterable[Path], *, limits: Limits | None = None, archive_limits: ArchiveLimits | None = None
) -> Iterator[NamedBytes]:
    """Every file named, every file under every folder named (sorted, links to folders not followed), and
    every member of every zip among them. Hidden and system files inside folders and zips are passed over.

    Names are relative to what was asked for: ``photo.jpg``, ``folder/a/photo.jpg``, ``batch.zip/a/photo.jpg``.
    """
    limits = limits or Limits()
    for path in paths:
        if path.is_dir():
            for file in _files_under(path):
                yield from _expand_file(
                    file, f"{path.name}/{file.relative_to(path).as_posix()}", limits, archive_limits
                )
        else:
            yield from _expand_file(path, path.name, limits, archive_limits)


def members(
    archive: BinaryIO, *, limits: Limits | None = None, archive_limits: ArchiveLimits | None = None
) -> Iterator[NamedBytes]:
    """The files in a zip, in the archive's order. Zips inside are handed out as bytes, not opened.

    Codes of one member: ``unsafe_path``, ``encrypted``, ``too_large``, ``truncated``. Codes of the archive,
    under an empty name, after which the stream ends: ``bad_archive``, ``too_many_files``, ``too_large``.
    """
    limits, archive_limits = limits or Limits(), archive_limits or ArchiveLimits()
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        yield "", BadPicture("bad_archive", f"The zip archive cannot be read: {error}.")
        return
    with opened:
        budget = _Budget(archive_limits.max_total_bytes)
        files = [i for i in opened.infolist() if _is_unsafe(i) or not (i.is_dir() or _is_system_file(i.filename))]
        for info in files[: archive_limits.max_members]:
            try:
                item: bytes | BadPicture = _read_member(opened, info, limits, archive_limits, budget)
            except BadPicture as error:
                item = error
            yield display_name(info.filename), item
            if budget.left_bytes <= 0:
                most = archive_limits.max_total_bytes
                yield (
                    "",
                    BadPicture("too_large", f"The archive unpacks to more than {most:,} bytes: cut off here."),
                )
                return
        if len(files) > archive_limits.max_members:
            most = archive_limits.max_members
            yield "", BadPicture("too_many_files", f"The archive has {len(files):,} files; only {most:,} were taken.")


@dataclass(slots=True)
class _Budget:
    """What may still be unpacked of one archive; refused members use it up too."""

    left_bytes: int


def is_zip(head: bytes) -> bool:
    """By the first four bytes: a local file, or the end record of an empty archive."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def display_name(name: str) -> str:
    """A stranger's file name for people and logs: one line, no control or direction characters, at most 200."""
    clean = "".join(c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in name)
    return clean if len(clean) <= 200 else f"{clean[:120]}…{clean[-79:]}"


def _expand_file(path: Path, name: str, limits: Limits, archive_limits: ArchiveLimits | None) -> Iterator[NamedBytes]:
    name = display_name(name)
    try:
        if not path.is_file():  # a pipe or a device would wait for ever
            yield name, BadPicture("unreadable", "There is no such file." if not path.exists() else "Not a plain file.")
            return
        with path.open("rb") as file:
            if is_zip(file.read(4)):
                file.seek(0)
                for member, item in members(file, limits=limits, archive_limits=archive_limits):
                    yield f"{name}/{member}" if member else name, item
                return
            file.seek(0)
            data = file.read(limits.max_bytes + 1)
    except OSError as error:
        yield name, BadPicture("unreadable", f"The file cannot be read: {error.strerror}.")
        return
    yield name, _too_large(limits.max_bytes) if len(data) > limits.max_bytes else data


def _files_under(folder: Path) -> Iterator[Path]:
    """Sorted, depth first, files before folders. Links to folders are not followed: they may form a ring."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError:
        return
    entries = [entry for entry in entries if not _is_system_file(entry.name)]
    yield from (entry for entry in entries if not entry.is_dir())
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            yield from _files_under(entry)


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits, archive_limits: ArchiveLimits, budget: _Budget
) -> bytes:
    if _is_unsafe(info):
        raise BadPicture("unsafe_path", "The archive's name for this file points outside of the archive.")
    if info.flag_bits & 0x1:
        raise BadPicture("encrypted", "The file is encrypted in the archive.")
    by_ratio = max(archive_limits.ratio_matters_from_bytes, int(info.compress_size * archive_limits.max_ratio))
    most_bytes = min(limits.max_bytes, by_ratio)
    unpacked = bytearray()
    try:
        with archive.open(info) as member:
            while chunk := member.read(_CHUNK):
                unpacked += chunk
                budget.left_bytes -= len(chunk)
                if len(unpacked) > most_bytes or budget.left_bytes <= 0:
                    raise _too_large(most_bytes)
    except BadPicture:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadPicture("truncated", f"The file is damaged in the archive: {error}.") from error
    return bytes(unpacked)


def _is_unsafe(info: zipfile.ZipInfo) -> bool:
    """Absolute, with a drive letter, climbing with ``..``, cut by a zero byte, or a symbolic link."""
    name = info.orig_filename.replace("\\", "/")
    drive = name[:1].isalpha() and name[1:2] == ":"
    link = stat.S_ISLNK(info.external_attr >> 16)
    return name.startswith("/") or drive or "\0" in name or ".." in name.split("/") or link


def _is_system_file(name: str) -> bool:
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part != ".."]
    if not parts:
        return False
    hidden = any(part.startswith(".") for part in parts)
    return hidden or parts[0] in _SYSTEM_FOLDERS or parts[-1].lower() in _SYSTEM_FILES


def _too_large(limit: int) -> BadPicture:
    return BadPicture("too_large", f"The file has more than {limit:,} bytes, which is the limit for it.")
