"""Import the layers of an exported dataset, in any format this project writes, into a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors, with_progress
from engine.services.projects import project_named
from training.services.dataset_import import ImportCount, import_dataset


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--project", required=True, help="id, slug or name; made when there is none")
        parser.add_argument("--accepted", action="store_true", help="take the dataset's word; else people judge them")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"]
        if not folder.is_dir():
            raise CommandError(f"no such folder: {folder}", returncode=WRONG_USE)
        count = ImportCount()
        with refusals_as_errors():
            project = project_named(options["project"])
            steps = import_dataset(project=project, folder=folder, count=count, is_accepted=options["accepted"])
            for _ in with_progress(steps, None, "layers"):
                pass
        document = {"project": str(project.pk), **vars(count)}
        sentence = f"{project}: {count.pictures} pictures and {count.layers} layers more, {count.present} were there"
        self.finish(document, sentence, options["as_json"])
