"""Tar archives whose bytes depend on names and content alone: no times, no owners, one mode."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

END = b"\0" * (2 * tarfile.BLOCKSIZE)
PIECE = 1 << 20


def header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.PAX_FORMAT)


def padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)


def add(out: IO[bytes], name: str, data: bytes) -> None:
    out.write(header(name, len(data)))
    out.write(data)
    out.write(padding(len(data)))


def add_file(out: IO[bytes], name: str, path: Path) -> tuple[int, int]:
    """Append a file in pieces; returns its offset and size."""
    size = path.stat().st_size
    out.write(header(name, size))
    offset = out.tell()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            out.write(piece)
    out.write(padding(size))
    return offset, size


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the regular files, in order; raises ``tarfile.TarError`` for what is no tar."""
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, file.read()
