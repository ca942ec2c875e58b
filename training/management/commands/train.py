"""Train a checkpoint on a snapshot, in the foreground; Ctrl+C stops it and --resume goes on."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors
from engine.refusals import Refusal
from engine.selectors.access import find_project
from training.models import JobStatus, RunTrigger, TrainingRun
from training.selectors.snapshots import find_snapshot
from training.selectors.training_runs import find_training_run
from training.services.checkpoints import checkpoint_named
from training.services.leases import LeaseLost, claim
from training.services.training_runs import (
    RECIPE,
    cancel_training_run,
    resume_training_run,
    start_training_run,
)
from training.services.training_work import work_on

SCRATCH = "scratch"
SHOW_S = 2.0


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--snapshot", metavar="N", help="name or id; needed unless --resume")
        parser.add_argument("--project", help="where several projects have a snapshot of this name")
        parser.add_argument("--recipe", default=RECIPE)
        parser.add_argument("--parent", metavar="C", help=f"checkpoint to go on from, or {SCRATCH}")
        parser.add_argument("--steps", type=int, metavar="K")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--params", default="{}", metavar="JSON", help="more numbers of the recipe")
        parser.add_argument("--weights", default="{}", metavar="JSON", help='{"validated": 0.6, "composite": 0.4}')
        parser.add_argument("--resume", metavar="RUN", help="id, or project/number")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["resume"]) == bool(options["snapshot"]):
            raise CommandError("either --snapshot or --resume is needed", returncode=WRONG_USE)
        with refusals_as_errors():
            run = self._resumed(options["resume"]) if options["resume"] else self._started(options)
            run = self._work(run)
        checkpoint = run.checkpoint
        document = {
            "id": str(run.pk),
            "number": run.number,
            "status": run.status,
            "reason": run.reason,
            "step": run.step,
            "steps": run.steps,
            "seconds": round(run.trained_s, 1),
            "checkpoint": checkpoint.name if checkpoint else None,
            "metrics": checkpoint.metrics if checkpoint else {},
        }
        done = f"{run}: {run.status} at step {run.step} of {run.steps} after {run.trained_s:.0f} s"
        sentence = f"{done}, checkpoint {checkpoint}" if checkpoint else done
        self.finish(document, sentence, options["as_json"])
        if run.status != JobStatus.FINISHED:
            raise CommandError(run.reason or f"the run was {run.status}")

    def _started(self, options: dict[str, Any]) -> TrainingRun:
        params, weights = _object(options["params"], "--params"), _object(options["weights"], "--weights")
        params |= {name: options[name] for name in ("steps", "seed") if options[name] is not None}
        snapshot = find_snapshot(options["snapshot"], options["project"] and find_project(options["project"]))
        parent = options["parent"]
        return start_training_run(
            snapshot=snapshot,
            recipe=options["recipe"],
            parent=checkpoint_named(parent) if parent and parent != SCRATCH else None,
            from_scratch=parent == SCRATCH,
            params=params,
            weights=weights,
            trigger=RunTrigger.COMMAND,
            is_queued=False,
        )

    def _resumed(self, key: str) -> TrainingRun:
        run = find_training_run(key)
        if not resume_training_run(run, is_queued=False) and run.status != JobStatus.QUEUED:
            raise Refusal("not_resumable", f"{run} is {run.status}; only cancelled and failed runs go on.", 409)
        return run

    def _work(self, run: TrainingRun) -> TrainingRun:
        stop = threading.Event()
        watcher = threading.Thread(target=self._show, args=(run.pk, stop), daemon=True)
        watcher.start()
        try:
            # A trainer that somebody killed leaves the run queued: it goes on here.
            while (claimed := claim(TrainingRun, run.pk)) is not None:
                work_on(claimed)
        except LeaseLost:
            pass
        except KeyboardInterrupt:
            cancel_training_run(run)
        finally:
            stop.set()
            watcher.join()
        run.refresh_from_db()
        return run

    def _show(self, pk: Any, stop: threading.Event) -> None:
        shown = None
        try:
            while not stop.wait(SHOW_S):
                run = TrainingRun.objects.get(pk=pk)
                if run.step != shown:
                    shown = run.step
                    self.stderr.write(f"step {run.step}/{run.steps}")
        finally:
            connection.close()


def _object(text: str, name: str) -> dict[str, Any]:
    path = Path(text)
    try:
        found = json.loads(path.read_text() if text.endswith(".json") and path.is_file() else text)
    except ValueError as error:
        raise CommandError(f"{name} is no JSON: {error}", returncode=WRONG_USE) from error
    if not isinstance(found, dict):
        raise CommandError(f"{name} is a JSON object", returncode=WRONG_USE)
    return found
