"""Recompute every digest of a snapshot; exit 1 when anything is not as it was frozen."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from engine.management.console import ConsoleCommand, refusals_as_errors, with_progress
from engine.refusals import Refusal
from engine.selectors.access import find_project
from training.selectors.snapshots import find_snapshot
from training.services.verification import Verification, verify_snapshot


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("snapshot", metavar="N", help="name or id")
        parser.add_argument("--project", help="where several projects have a snapshot of this name")

    def handle(self, *args: Any, **options: Any) -> None:
        result = Verification()
        with refusals_as_errors():
            snapshot = find_snapshot(options["snapshot"], options["project"] and find_project(options["project"]))
            if not snapshot.is_frozen:
                raise Refusal("not_frozen", f"{snapshot} is {snapshot.status}, not frozen.", 409)
            for _ in with_progress(verify_snapshot(snapshot, result), snapshot.rows, "rows"):
                pass
        if not options["as_json"]:
            for problem in result.problems:
                self.stdout.write(problem)
        document = {"id": str(snapshot.pk), "merkle_root": snapshot.merkle_root, **result.to_json()}
        deleted = f", {result.deleted} deleted since" if result.deleted else ""
        sentence = f"{snapshot}: {result.rows} rows, {result.files} files right{deleted}, {result.found} problems"
        self.finish(document, sentence, options["as_json"])
        if result.found:
            raise CommandError(f"{result.found} problems")
