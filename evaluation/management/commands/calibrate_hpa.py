"""Fit the weights of HPA to the ratings of a project, on both boards where there are ratings."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.management.base import CommandError

from engine.management.console import ConsoleCommand
from engine.refusals import Refusal
from engine.selectors.access import find_project
from evaluation.models import Benchmark, Calibration
from evaluation.selectors.votes import board_states
from evaluation.services.calibrations import calibrate_board, choose
from evaluation.services.layer_scores import score_voted_layers
from evaluation.services.ratings import refit_stale_boards


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", required=True, help="id, slug or name")
        parser.add_argument("--benchmark", required=True, help="its name")
        parser.add_argument("--choose", action="store_true", help="use these weights from now on")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        if project is None:
            raise CommandError(f"there is no project {options['project']!r}")
        benchmark = Benchmark.objects.filter(project=project, name=options["benchmark"]).first()
        if benchmark is None:
            raise CommandError(f"there is no benchmark {options['benchmark']!r} in {project.name}")
        refit_stale_boards(project)
        boards = list(board_states(project))
        if not boards:
            raise CommandError("no_votes: nobody has voted in this project yet")
        made, problems = [], {}
        for board in boards:
            try:
                score_voted_layers(benchmark, board, on_progress=partial(self._tell, board))
                made.append(calibrate_board(project=project, benchmark=benchmark, board=board))
            except Refusal as refusal:
                problems[board] = f"{refusal.code}: {refusal}"
                self.stderr.write(f"{board}: {refusal}")
        if not made:
            raise CommandError("; ".join(problems.values()))
        for calibration in made:
            if options["choose"]:
                choose(calibration)
        document = {"calibrations": [_document(calibration) for calibration in made], "problems": problems}
        self.finish(document, "\n".join(map(_sentence, made)), options["as_json"])

    def _tell(self, board: str, done: int) -> None:
        self.stderr.write(f"{board}: {done} voted layers measured")


def _document(calibration: Calibration) -> dict[str, Any]:
    names = ("board", "version", "weights", "producers", "is_enough", "rows", "is_chosen")
    return {name: getattr(calibration, name) for name in names}


def _sentence(calibration: Calibration) -> str:
    weights = ", ".join(f"{axis} {one['value']:.2f}" for axis, one in calibration.weights.items())
    pearson = calibration.rows[0]["pearson"]
    few = "" if calibration.is_enough else f" {calibration.producers} producers are too few to claim these weights."
    return (
        f"{calibration.board} v{calibration.version}: {weights}; Pearson {pearson['value']:.2f} "
        f"[{pearson['low']:.2f}, {pearson['high']:.2f}] over {calibration.producers} producers.{few}"
    )
