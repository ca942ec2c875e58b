"""Score a checkpoint, the engine or a baseline on a frozen benchmark. Stopped and called again it goes on."""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from engine.management.console import ConsoleCommand, refusals_as_errors
from engine.selectors.access import find_project
from evaluation.features.variants import VARIANTS
from evaluation.models import Benchmark, EvaluationRun
from evaluation.services.evaluations import ask_evaluation, work_on
from training.models import JobStatus
from training.services.leases import LeaseLost, cancel, claim


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--checkpoint", required=True, help="a checkpoint's name, cpu, grabcut or box")
        parser.add_argument("--benchmark", required=True, help="its id or name")
        parser.add_argument("--project", help="id, slug or name; needed where two projects have such a benchmark")
        parser.add_argument("--networks", choices=VARIANTS, default="", help="published, or else offline-reflayer-tiny")
        parser.add_argument("--again", action="store_true", help="also where this was scored before")
        parser.add_argument("--html", type=Path, metavar="FILE", help="the report as a page that stands alone")

    def handle(self, *args: Any, **options: Any) -> None:
        benchmark = _benchmark(options["benchmark"], options["project"])
        with refusals_as_errors():
            run = ask_evaluation(
                benchmark=benchmark,
                checkpoint=options["checkpoint"],
                variant=options["networks"],
                again=options["again"],
            )
        if run.status != JobStatus.FINISHED:
            self._work(run)
        from evaluation.report import markdown  # torch, which a wrong name need not wait for

        with run.report.open("rb") as file:
            document = json.loads(file.read())
        if options["html"]:
            with run.page.open("rb") as source, options["html"].open("wb") as target:
                shutil.copyfileobj(source, target)
        document = {"run": str(run.pk), "seconds": run.seconds, **document}
        self.finish(document, f"{run.producer.name} on {benchmark}\n{markdown(document)}", options["as_json"])

    def _work(self, run: EvaluationRun) -> None:
        ours = claim(EvaluationRun, run.pk)
        if ours is None:
            raise CommandError("running: a worker scores this at the moment; its page shows how far it is")
        try:
            work_on(ours, self._tell)
        except LeaseLost as error:
            raise CommandError("lease_lost: it was cancelled, or another worker goes on with it") from error
        except KeyboardInterrupt:
            cancel(ours)
            raise CommandError("cancelled: call again to go on") from None
        run.refresh_from_db()
        if run.status != JobStatus.FINISHED:
            raise CommandError(run.reason)

    def _tell(self, what: str, done: int, total: int) -> None:
        if done % 20 == 0 or done == total:
            self.stderr.write(f"{what} {done}/{total}")


def _benchmark(key: str, project_key: str | None) -> Benchmark:
    found = Benchmark.objects.select_related("project").filter(name=key)
    if project_key:
        project = find_project(project_key)
        if project is None:
            raise CommandError(f"there is no project {project_key!r}")
        found = found.filter(project=project)
    several = list(found[:2])
    if not several:
        with contextlib.suppress(ValueError):
            several = list(Benchmark.objects.filter(pk=uuid.UUID(key)))
    if not several:
        raise CommandError(f"there is no benchmark {key!r}")
    if len(several) > 1:
        raise CommandError(f"several projects have a benchmark {key!r}: say --project")
    return several[0]
