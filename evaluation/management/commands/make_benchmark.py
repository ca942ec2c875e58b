"""Freeze a benchmark: held-out composites with exact truth, or accepted layers of the project."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import CommandError

from engine.composites.held_out import FIRST_SEED
from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors
from engine.models import Layer, LayerStatus, Project
from engine.selectors.access import find_project
from evaluation.services.benchmarks import freeze_composites, freeze_layers


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", required=True, help="id, slug or name")
        parser.add_argument("--name", required=True, help="of the benchmark")
        kind = parser.add_mutually_exclusive_group(required=True)
        kind.add_argument("--composites", type=int, metavar="COUNT", help="so many held-out composites")
        kind.add_argument("--layers", nargs="+", metavar="ID", help="these accepted layers")
        kind.add_argument("--accepted", type=int, metavar="COUNT", help="the oldest so many accepted layers")
        parser.add_argument("--size", type=int, default=128, metavar="PX", help="side of the composites")
        parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first composite")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        if project is None:
            raise CommandError(f"there is no project {options['project']!r}")
        with refusals_as_errors():
            if options["composites"] is not None:
                made = freeze_composites(
                    project=project,
                    name=options["name"],
                    count=options["composites"],
                    size_px=options["size"],
                    seed=options["seed"],
                    on_progress=lambda done: self._tell(done, options["composites"]),
                )
            else:
                made = freeze_layers(project=project, name=options["name"], layers=_layers(project, options))
        items = made.items.count()
        document = {"id": str(made.pk), "name": made.name, "items": items, "digest": made.digest, "terms": made.terms}
        self.finish(document, f"{made}: {items} items, digest {made.digest[:12]}", options["as_json"])

    def _tell(self, done: int, total: int) -> None:
        if done % 20 == 0 or done == total:
            self.stderr.write(f"composites {done}/{total}")


def _layers(project: Project, options: dict[str, Any]) -> list[uuid.UUID]:
    if options["accepted"] is not None:
        accepted = Layer.objects.filter(project=project, status=LayerStatus.ACCEPTED).order_by("created_at", "pk")
        return list(accepted.values_list("pk", flat=True)[: options["accepted"]])
    try:
        return [uuid.UUID(key) for key in options["layers"]]
    except ValueError as error:
        raise CommandError("--layers takes ids of layers", returncode=WRONG_USE) from error
