"""Import photographs: files, folders and zip archives, with given prompts from COCO or Label Studio JSON."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from engine.archives import expand
from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors, with_progress
from engine.services.images import import_files, limits
from engine.services.projects import project_named


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--project", required=True, help="id, slug or name; made when there is none")
        parser.add_argument("--annotations", type=Path, help="COCO or Label Studio JSON with boxes, masks, captions")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [str(path) for path in options["paths"] if not path.exists()]
        if missing:
            raise CommandError(f"no such file or folder: {', '.join(missing)}", returncode=WRONG_USE)
        annotations = read_annotations(options["annotations"])
        with refusals_as_errors():
            project = project_named(options["project"])
            files = expand(options["paths"], limits=limits())
            results = import_files(project=project, files=files, annotations=annotations)
            rows = [result.to_json() for result in with_progress(results, None, "files")]
        outcomes = Counter(row["outcome"] for row in rows)
        document = {"project": str(project.id), "outcomes": dict(outcomes), "files": rows}
        sentence = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()) or "no files"
        if not options["as_json"]:
            for row in rows:
                if row["outcome"] not in ("ok", "duplicate"):
                    self.stdout.write(f"{row['name']}: {row['outcome']}: {row['detail']}")
        self.finish(document, f"{project}: {sentence}", options["as_json"])
        if not outcomes["ok"] + outcomes["duplicate"]:
            raise CommandError("nothing was imported")


def read_annotations(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}", returncode=WRONG_USE) from error
