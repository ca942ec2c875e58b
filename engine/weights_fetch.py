"""Getting weights onto this machine: by commit, resumed, checked, pinned. The only place that goes online for them."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine import weights_folder
from engine.weights import WeightsRow
from engine.weights_folder import DamagedWeights, Lock, digest, read_lock, write_lock

_CHUNK = 1 << 20
_TIMEOUT_S = 30.0

Progress = Callable[[int, int], None]
"""Bytes so far and in all (0 where the server does not say)."""


class FetchFailed(OSError):
    """No network, no such repository, no right to it: one sentence."""

    code = "fetch_failed"


class Hub(Protocol):
    """What is asked of the Hub; tests answer in its place."""

    def commit_of(self, source: str, revision: str | None) -> str: ...

    def download(self, source: str, commit: str, patterns: tuple[str, ...], into: Path) -> None: ...


class HuggingFaceHub:
    """The real one. Its client resumes files that were broken off and shows its own progress bars."""

    def commit_of(self, source: str, revision: str | None) -> str:
        from huggingface_hub import HfApi

        with _told_plainly(source):
            return str(HfApi().model_info(source, revision=revision, timeout=_TIMEOUT_S).sha)

    def download(self, source: str, commit: str, patterns: tuple[str, ...], into: Path) -> None:
        from huggingface_hub import snapshot_download

        with _told_plainly(source):
            snapshot_download(source, revision=commit, local_dir=into, allow_patterns=list(patterns))


def fetch(row: WeightsRow, hub: Hub | None = None, on_progress: Progress = lambda done, total: None) -> Lock:
    """Bring the weights of a row here, or check those that are; returns the lock.

    A lock that is there already decides the commit, so that a second machine or a repair gets the same bytes; without
    one the row's ``revision`` does, or else what the repository's main branch is now. Raises ``FetchFailed``, or
    ``DamagedWeights`` when a file is not what the lock or the published digest says.
    """
    place = weights_folder.folder(row.name)
    lock = read_lock(place)
    if lock is not None and lock.source == row.source and not weights_folder.differences(row.name):
        return lock
    if lock is None and weights_folder.files_of(place) and not _is_partial(place):
        raise DamagedWeights(f"{place} holds files that were put there by hand: move them away to fetch '{row.name}'")
    place.mkdir(parents=True, exist_ok=True)
    if row.is_single_file:
        revision = ""
        download_file(row.source, place / row.source.rsplit("/", 1)[1], on_progress)
    else:
        hub = hub or HuggingFaceHub()
        wanted = lock.revision if lock is not None and lock.source == row.source else row.revision
        revision = hub.commit_of(row.source, wanted)
        for file in weights_folder.differences(row.name):
            (place / file).unlink(missing_ok=True)
        hub.download(row.source, revision, row.files, place)
    for file, published in row.sha256.items():
        if digest(place / file) != published:
            (place / file).unlink()
            raise DamagedWeights(f"{file} of '{row.name}' is not the published file (sha256); it was removed")
    if lock is not None and lock.source == row.source and (wrong := weights_folder.differences(row.name)):
        raise DamagedWeights(f"'{row.name}' at {revision or row.source} is not what was locked: {', '.join(wrong)}")
    return write_lock(place, row, revision)


def download_file(url: str, path: Path, on_progress: Progress = lambda done, total: None) -> None:
    """Download one file, going on where an earlier attempt stopped; ``path`` appears only when it is whole."""
    part = path.with_name(path.name + ".part")
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the address is in our table
            resumed = answer.status == 206
            have = have if resumed else 0
            total = have + int(answer.headers.get("Content-Length") or 0)
            with part.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    on_progress(have, total)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # the whole file is in .part already
            raise FetchFailed(f"{url}: the server answered {error.code} {error.reason}") from error
        total = have
    except OSError as error:
        raise FetchFailed(f"{url}: {getattr(error, 'reason', error)}; run the command again to go on") from error
    if total and have < total:
        raise FetchFailed(f"{url}: broke off after {have} of {total} bytes; run the command again to go on")
    part.replace(path)


def to_standard_error(name: str) -> Progress:
    """A line that is redrawn, on a terminal; nothing elsewhere."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{name} {done / 1e6:.0f} of {total / 1e6:.0f} MB ")
            sys.stderr.flush()

    return show


def _is_partial(place: Path) -> bool:
    """Whether an earlier fetch was broken off here, by the traces that both ways of downloading leave."""
    return (place / ".cache" / "huggingface").is_dir() or any(place.glob("*.part"))


class _told_plainly:
    """Turns the many errors of the Hub's client into one sentence."""

    def __init__(self, source: str) -> None:
        self.source = source

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception):
            return
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        said = {
            GatedRepoError: "is gated: accept its terms on the Hub and log in with a token (hf auth login)",
            RepositoryNotFoundError: "does not exist, or is closed to this account",
            RevisionNotFoundError: "has no such revision",
        }
        told = next((text for type_, text in said.items() if isinstance(error, type_)), None)
        first_line = (str(error).strip().splitlines() or [""])[0]
        raise FetchFailed(f"{self.source} {told or f'could not be reached: {first_line[:200]}'}") from error
