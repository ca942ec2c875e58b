"""Where weights lie on this machine and whether they are what was fetched.

``<root>/<name>/`` holds the files of one row as the Hub lays them out; ``weights.lock.json`` beside them says from
which commit they came and what each file must be. A folder without a lock was put there by hand: it is used as it is
and listed as such.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine import weights
from engine.weights import WeightsRow

LOCK = "weights.lock.json"
_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class LockedFile:
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Lock:
    """What was fetched: ``revision`` is a commit of the repository, empty for a single file."""

    source: str
    revision: str
    files: dict[str, LockedFile] = field(default_factory=dict)


class State(StrEnum):
    ABSENT = "absent"
    PRESENT = "present"
    BY_HAND = "by hand"
    DAMAGED = "damaged"


class MissingWeights(LookupError):
    """Weights that a network needs are not on this machine; the sentence names the command that gets them."""

    code = "missing_weights"


class DamagedWeights(ValueError):
    code = "damaged_weights"


def root() -> Path:
    """``RLD_WEIGHTS``, else the folder ``weights`` in ``RLD_HOME``."""
    if given := os.environ.get("RLD_WEIGHTS", "").strip():
        return Path(given)
    home = os.environ.get("RLD_HOME", "").strip()
    return (Path(home) if home else Path(__file__).resolve().parent.parent / ".rld") / "weights"


def folder(name: str) -> Path:
    return root() / weights.find(name).name


def require(name: str) -> Path:
    """The folder of weights that are there and whose files have their locked sizes.

    Raises ``MissingWeights`` or ``DamagedWeights``. Digests are not recomputed here, because that reads every byte;
    ``fetch_weights`` and ``weights --verify`` do it.
    """
    found = state(name)
    if found is State.ABSENT:
        raise MissingWeights(f"weights '{name}' are not on this machine; get them with: manage.py fetch_weights {name}")
    if found is State.DAMAGED:
        raise DamagedWeights(f"weights '{name}' are not whole; repair them with: manage.py fetch_weights {name}")
    return folder(name)


def state(name: str) -> State:
    """By presence and sizes."""
    place = folder(name)
    lock = read_lock(place)
    if lock is None:
        return State.BY_HAND if files_of(place) else State.ABSENT
    whole = all((place / f).is_file() and (place / f).stat().st_size == locked.size for f, locked in lock.files.items())
    return State.PRESENT if whole else State.DAMAGED


def size_mb(name: str) -> float:
    """Bytes of all files that are there, in MB."""
    return sum(path.stat().st_size for path in files_of(folder(name))) / 1e6


def files_of(place: Path) -> list[Path]:
    """The files of one row, sorted; without the lock and without what the Hub's client keeps in ``.cache``."""
    if not place.is_dir():
        return []
    inside = (path for path in place.rglob("*") if path.is_file() and path.name != LOCK)
    return sorted(path for path in inside if ".cache" not in path.relative_to(place).parts)


def read_lock(place: Path) -> Lock | None:
    path = place / LOCK
    if not path.is_file():
        return None
    try:
        document: dict[str, Any] = json.loads(path.read_text())
        files = {name: LockedFile(**row) for name, row in document["files"].items()}
        return Lock(str(document["source"]), str(document["revision"]), files)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedWeights(f"{path} is not a lock file: {error}") from error


def write_lock(place: Path, row: WeightsRow, revision: str) -> Lock:
    """Pin every file that lies in ``place`` by its digest; written atomically."""
    files = {
        path.relative_to(place).as_posix(): LockedFile(digest(path), path.stat().st_size) for path in files_of(place)
    }
    lock = Lock(row.source, revision, files)
    new = place / f"{LOCK}.new"
    new.write_text(json.dumps(asdict(lock), indent=2, sort_keys=True))
    os.replace(new, place / LOCK)
    return lock


def differences(name: str) -> list[str]:
    """Files that are gone or are not what the lock says, by full digest; empty when all are right or none is locked."""
    place = folder(name)
    lock = read_lock(place)
    if lock is None:
        return []
    return [
        file
        for file, locked in lock.files.items()
        if not (place / file).is_file() or digest(place / file) != locked.sha256
    ]


def digest(path: Path) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
    return sha.hexdigest()
