"""Make gold items of layers whose true layer is known: pictures of engine.composites that nobody has judged yet."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from annotation.services.gold_of_truth import make_gold_of_truth
from engine.management.console import WRONG_USE, ConsoleCommand
from engine.selectors.access import find_project


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", required=True, help="id, slug or name")
        parser.add_argument("--most", type=int, default=20, metavar="N")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["most"] < 1:
            raise CommandError("--most is at least 1", returncode=WRONG_USE)
        project = find_project(options["project"])
        if project is None:
            raise CommandError(f"there is no project {options['project']!r}")
        made = make_gold_of_truth(project=project, most=options["most"])
        acceptable = sum(item.is_acceptable for item in made)
        document = {"project": str(project.pk), "made": len(made), "acceptable": acceptable}
        self.finish(document, f"{len(made)} gold items, {acceptable} of them acceptable", options["as_json"])
