"""An export into a folder of this machine: part by part, with a journal, so that it goes on where it was stopped."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.folder_output import write_atomically
from training.exports.base import Part, Sample, plan_parts, rows_of_part
from training.exports.formats import writer_for
from training.manifest import HEADER, ROWS, Header

JOURNAL, SCRATCH = ".export.json", ".part"

Load = Callable[[dict[str, Any]], Sample]


class OtherContent(ValueError):
    """The folder holds something else."""


def export_to_folder(
    out: Path,
    name: str,
    header: Header,
    files: Mapping[str, Path],
    load: Load,
    gone: Collection[str],
    part_rows: int,
) -> Iterator[tuple[int, int]]:
    """Write the export; yields how many parts are done of how many, first those of an earlier call.

    ``files``: the manifest's own files by name, laid beside the data at the end. ``load`` gives the sample of a row;
    rows that are ``gone`` are left out. The same call again goes on after the last finished part, or finds everything
    done. Raises ``OtherContent``.
    """
    state = {"format": name, "digest": header.digest, "part_rows": part_rows}
    done = _done(out, state, header)
    lines = files[ROWS]
    with lines.open("rb") as opened:
        plan = plan_parts(opened, part_rows)
    total = len(plan.parts) + 1
    if done is None:
        yield total, total
        return
    yield done, total
    writer, scratch = writer_for(name), out / SCRATCH
    for number in range(done, total):
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        if number < len(plan.parts):
            writer.part(plan.parts[number], plan, _samples(lines, plan.parts[number], load, gone), scratch)
        else:
            writer.closing(plan, header, lambda file: (out / file).open("rb"), scratch)
            for file, path in files.items():
                shutil.copyfile(path, scratch / file)
        # The header says "all is here": it comes last.
        for path in sorted((p for p in scratch.rglob("*") if p.is_file()), key=lambda p: p.name == HEADER):
            target = out / path.relative_to(scratch)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        write_atomically(out / JOURNAL, json.dumps({**state, "done": number + 1}).encode())
        yield number + 1, total
    shutil.rmtree(scratch)
    (out / JOURNAL).unlink()


def _samples(lines: Path, part: Part, load: Load, gone: Collection[str]) -> Iterator[Sample]:
    with lines.open("rb") as opened:
        for row in rows_of_part(opened, part, gone):
            yield load(row)


def _done(out: Path, state: dict[str, Any], header: Header) -> int | None:
    """Finished parts; ``None`` when the whole export is there."""
    journal = out / JOURNAL
    if journal.is_file():
        kept = json.loads(journal.read_bytes())
        done: int = kept.pop("done")
        if kept != state:
            raise OtherContent(f"{out} holds an unfinished export of something else.")
        return done
    if not out.exists() or set(os.listdir(out)) <= {SCRATCH}:
        return 0
    if (out / HEADER).is_file() and json.loads((out / HEADER).read_bytes()).get("digest") == header.digest:
        return None
    raise OtherContent(f"{out} is not empty.")
