"""Take a report of ``python -m evaluation.score --out`` into the database, as one producer's scores on a benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from engine.management.console import ConsoleCommand, refusals_as_errors
from engine.models import Producer
from engine.selectors.access import find_project
from evaluation.services.scores import record_report


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("report", type=Path)
        parser.add_argument("--project", required=True, help="id, slug or name")
        parser.add_argument("--benchmark", required=True, help="its name; the first report makes it")
        parser.add_argument("--producer", required=True, help="its name")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        producer = Producer.objects.filter(name=options["producer"]).first()
        if project is None or producer is None:
            missing = ("project", options["project"]) if project is None else ("producer", options["producer"])
            raise CommandError("there is no {} {!r}".format(*missing))
        try:
            report = json.loads(options["report"].read_text())
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['report']} cannot be read: {error}") from error
        with refusals_as_errors():
            run = record_report(project=project, benchmark=options["benchmark"], producer=producer, report=report)
        count = run.scores.count()
        document = {"run": str(run.pk), "scores": count, "is_offline": run.is_offline}
        self.finish(document, f"{count} scores of {producer.name} on {options['benchmark']}", options["as_json"])
