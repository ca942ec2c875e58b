"""Content-addressed files: a file is named by the sha256 of its bytes and stored once."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from engine.imaging import sha256


@dataclass(frozen=True, slots=True)
class Stored:
    name: str


def store(folder: str, data: bytes, extension: str) -> str:
    """Store bytes as ``folder/ab/<sha256>.extension`` unless they are there; returns the name."""
    return store_new(folder, data, extension, files=[])


def store_new(folder: str, data: bytes, extension: str, *, files: list[Stored]) -> str:
    """Like ``store``; a file that was not there before is added to ``files``, so that a failure can take it back."""
    digest = sha256(data)
    name = f"{folder}/{digest[:2]}/{digest}.{extension}"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(data))
        files.append(Stored(name))
    return name
