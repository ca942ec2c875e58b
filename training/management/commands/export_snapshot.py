"""Write a snapshot as files for other tools. Stopped and called again, it goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.management.console import ConsoleCommand, refusals_as_errors, with_progress
from engine.selectors.access import find_project
from training.exports.formats import FORMATS
from training.selectors.snapshots import find_snapshot
from training.services.exports import PART_ROWS, export_here


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("snapshot", metavar="N", help="name or id")
        parser.add_argument("--format", required=True, choices=list(FORMATS))
        parser.add_argument("--out", required=True, type=Path, metavar="DIR")
        parser.add_argument("--project", help="where several projects have a snapshot of this name")
        parser.add_argument("--part-rows", type=int, default=PART_ROWS, metavar="N", help="layers of a part or shard")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_errors():
            snapshot = find_snapshot(options["snapshot"], options["project"] and find_project(options["project"]))
            steps = export_here(
                snapshot=snapshot,
                format=options["format"],
                out=options["out"],
                part_rows=max(1, options["part_rows"]),
            )
            parts = [total for _, total in with_progress(steps, None, "parts")][-1]
        document = {
            "id": str(snapshot.pk),
            "format": options["format"],
            "out": str(options["out"]),
            "rows": snapshot.rows,
            "parts": parts,
            "digest": snapshot.digest,
        }
        sentence = f"{snapshot}: {snapshot.rows} layers as {options['format']} in {options['out']}"
        self.finish(document, sentence, options["as_json"])
