"""Exports as jobs: each part is stored for good before the next begins."""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction

from engine.refusals import Refusal
from training.exports import tar
from training.exports.base import Part, Plan, Sample, Writer, plan_parts, rows_of_part
from training.exports.formats import FORMATS, writer_for
from training.exports.local import OtherContent, export_to_folder
from training.manifest import ROWS, BadManifest
from training.models import Export, ExportFile, JobStatus, Snapshot
from training.services.doorbell import ring
from training.services.freezing import bury_missing
from training.services.frozen_files import deleted_rows, header_of, loader, manifest_files
from training.services.leases import LeaseLost, ended_as, heartbeat, write

PART_ROWS = 1000


def start_export(*, snapshot: Snapshot, format: str, user: Any = None, part_rows: int = PART_ROWS) -> Export:
    """Queue an export. Raises ``Refusal``: 400 ``unknown_format``; 409 ``not_frozen``."""
    _check(snapshot, format)
    with transaction.atomic():
        export = Export.objects.create(snapshot=snapshot, format=format, part_rows=part_rows, started_by=user)
        transaction.on_commit(partial(ring, "cpu"))
    return export


def export_here(*, snapshot: Snapshot, format: str, out: Path, part_rows: int = PART_ROWS) -> Iterator[tuple[int, int]]:
    """Export into a folder of this machine; yields parts done of how many. Called again, it goes on.

    Raises ``Refusal``: as ``start_export``; 409 ``other_content`` for a folder that holds something else; 409 with a
    code of ``BadManifest`` when a stored file is missing or damaged.
    """
    _check(snapshot, format)
    bury_missing(snapshot)
    gone, load = deleted_rows(snapshot), loader()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            files = manifest_files(snapshot, Path(scratch))
            yield from export_to_folder(out, format, header_of(snapshot), files, load, gone, part_rows)
    except OtherContent as error:
        raise Refusal("other_content", str(error), 409) from error
    except BadManifest as error:
        raise Refusal(error.code, str(error), 409) from error


def work_on(export: Export) -> Iterator[int]:
    """Write a claimed export part by part; yields after each, so that the caller may stop and give it back.

    Raises ``LeaseLost`` when it was cancelled or another worker has it.
    """
    bury_missing(export.snapshot)
    with heartbeat(export), tempfile.TemporaryDirectory() as scratch:
        try:
            yield from _Work(export, Path(scratch)).parts()
        except BadManifest as error:
            write(export, **ended_as(JobStatus.FAILED, reason=f"{error.code}: {error}"[:500]))


def give_back(export: Export) -> None:
    """Let another worker, or another task, have it."""
    write(export, status=JobStatus.QUEUED, lease=None, lease_expires_at=None)


def delete_export(export: Export) -> None:
    """The rows, then the files."""
    pk = export.pk
    export.delete()
    _remove_pieces(pk, set())


class _Work:
    """One claim of an export: the plan made anew, then the parts that are missing."""

    def __init__(self, export: Export, scratch: Path) -> None:
        self.export, self.scratch = export, scratch
        self.header = header_of(export.snapshot)
        self.files = manifest_files(export.snapshot, scratch)
        self.gone, self.load = deleted_rows(export.snapshot), loader()
        self.writer: Writer = writer_for(export.format)
        with self.files[ROWS].open("rb") as lines:
            self.plan: Plan = plan_parts(lines, export.part_rows)

    def parts(self) -> Iterator[int]:
        total = len(self.plan.parts) + 1
        write(self.export, parts=total)
        for number in range(self.export.parts_done, total):
            is_last = number + 1 == total
            with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
                out = Path(folder)
                if is_last:
                    self.writer.closing(self.plan, self.header, self._opened, out)
                    for name, path in self.files.items():
                        shutil.copyfile(path, out / name)
                else:
                    part = self.plan.parts[number]
                    self.writer.part(part, self.plan, self._samples(part), out)
                rows = 0 if is_last else self.plan.parts[number].rows
                self._store(number, out, rows, is_last)
            yield number + 1
        _remove_pieces(self.export.pk, set(self.export.files.values_list("piece", flat=True).distinct()))

    def _samples(self, part: Part) -> Iterator[Sample]:
        with self.files[ROWS].open("rb") as lines:
            for row in rows_of_part(lines, part, self.gone):
                yield self.load(row)

    def _opened(self, name: str) -> IO[bytes]:
        file = self.export.files.filter(name=name).latest("part")
        return open_slice(file.piece, file.offset, file.size)

    def _store(self, number: int, out: Path, rows: int, is_last: bool) -> None:
        """The part's files as one stored piece, and with it the progress, all or nothing."""
        name = f"exports/{self.export.pk}/{number:06d}-{self.export.lease}.tar"
        found = []
        with tempfile.TemporaryFile(dir=self.scratch) as piece:
            for path in sorted(path for path in out.rglob("*") if path.is_file()):
                file = path.relative_to(out).as_posix()
                with path.open("rb") as data:
                    digest = hashlib.file_digest(data, "sha256").hexdigest()
                offset, size = tar.add_file(piece, file, path)
                found.append(
                    ExportFile(
                        export=self.export, part=number, name=file, piece=name, offset=offset, size=size, sha256=digest
                    )
                )
            size = piece.tell()
            piece.seek(0)
            default_storage.save(name, File(piece))
        changes: dict[str, Any] = ended_as(JobStatus.FINISHED) if is_last else {}
        try:
            with transaction.atomic():
                write(
                    self.export,
                    attempts=0,
                    parts_done=number + 1,
                    rows_done=self.export.rows_done + rows,
                    size=self.export.size + size,
                    **changes,
                )
                ExportFile.objects.bulk_create(found)
        except LeaseLost:
            default_storage.delete(name)
            raise


class Slice(io.RawIOBase):
    """``size`` bytes of a file from ``offset`` on, as a file."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file, self._left = file, size
        file.seek(offset)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_slice(name: str, offset: int, size: int) -> IO[bytes]:
    return io.BufferedReader(Slice(default_storage.open(name), offset, size))


def _remove_pieces(export: uuid.UUID, kept: set[str]) -> None:
    """What workers left that died between storing a piece and saying so."""
    folder = f"exports/{export}"
    names = default_storage.listdir(folder)[1] if default_storage.exists(folder) else []
    for name in names:
        if f"{folder}/{name}" not in kept:
            default_storage.delete(f"{folder}/{name}")


def _check(snapshot: Snapshot, format: str) -> None:
    if format not in FORMATS:
        raise Refusal("unknown_format", f"There is no format {format}; there are {', '.join(FORMATS)}.")
    if not snapshot.is_frozen:
        raise Refusal("not_frozen", f"{snapshot} is {snapshot.status}, not frozen yet.", 409)
