"""A checkpoint's folder as one thing: what it weighs, its digest, and putting it in its place whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from pathlib import Path


def trained_checkpoints() -> Path:
    """``checkpoints`` in ``RLD_HOME``: where training runs put what they made."""
    home = os.environ.get("RLD_HOME", "").strip()
    return (Path(home) if home else Path(__file__).resolve().parents[1] / ".rld") / "checkpoints"


def files_of(folder: Path) -> list[Path]:
    """Its files, sorted; hidden ones and half-written ones are nobody's."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not path.name.startswith(".") and path.suffix != ".part")


def digest_of(folder: Path) -> str:
    """SHA-256 over lines ``<sha256>  <path>`` of its files, as ``sha256sum`` writes them, sorted by path."""
    total = hashlib.sha256()
    for path in files_of(folder):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{digest}  {path.relative_to(folder).as_posix()}\n".encode())
    return total.hexdigest()


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in files_of(folder))


def put_in_place(folder: Path, place: Path) -> None:
    """Copy a folder so that it appears whole under its new name, or not at all; what was there goes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.parent / f".{place.name}.{uuid.uuid4().hex}"
    old = place.parent / f".{place.name}.{uuid.uuid4().hex}"
    try:
        for path in files_of(folder):
            target = unfinished / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        if place.exists():
            os.replace(place, old)
        os.replace(unfinished, place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
