"""Count the verdicts, slots and layers of projects again; only needed after a restore without triggers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from annotation.services.counters import rebuild_counters
from engine.management.console import WRONG_USE, ConsoleCommand
from engine.models import Project
from engine.selectors.access import find_project


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", metavar="P", help="id, slug or name; all projects when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        key = options["project"]
        projects = list(Project.objects.all())
        if key is not None:
            if (project := find_project(key)) is None:
                raise CommandError(f"there is no project {key!r}", returncode=WRONG_USE)
            projects = [project]
        for project in projects:
            rebuild_counters(project)
        self.finish(
            {"projects": [str(p.id) for p in projects]}, f"{len(projects)} projects counted", options["as_json"]
        )
