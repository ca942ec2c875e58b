"""Let simulated people with known error rates work a project's real queue, and measure what came of it.

Truth: gold answers; for pictures of engine.composites the true layers (amodal IoU at least 0.8 and alpha error at
most 0.1; backgrounds: colour error at most 0.1 behind the objects); else 70 % of layers are assumed to be right.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError

from annotation.selectors.simulation import simulation_report
from annotation.selectors.truth import Truth
from annotation.services.simulation import simulate
from annotation.simulated import crowd
from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors, with_progress
from engine.selectors.access import find_project


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", required=True, help="id, slug or name")
        parser.add_argument("--annotators", type=int, required=True, metavar="N")
        parser.add_argument("--error-rate", type=float, metavar="E", help="of everybody; else 0.02 to 0.20, evenly")
        parser.add_argument("--until-empty", action="store_true", help="work until nobody gets another layer")
        parser.add_argument("--decisions", type=int, default=20, help="for each annotator, without --until-empty")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        rate = options["error_rate"]
        if options["annotators"] < 1 or options["decisions"] < 1 or not 0 <= (rate or 0) <= 1:
            raise CommandError(
                "--annotators and --decisions are at least 1, --error-rate is 0..1", returncode=WRONG_USE
            )
        project = find_project(options["project"])
        if project is None:
            raise CommandError(f"there is no project {options['project']!r}")
        people = crowd(options["annotators"], options["seed"], rate)
        truth = Truth(project, options["seed"])
        began, decisions = time.perf_counter(), 0
        with refusals_as_errors():
            most = None if options["until_empty"] else options["decisions"]
            for _ in with_progress(simulate(project, people, truth, most), None, "decisions"):
                decisions += 1
        seconds = time.perf_counter() - began
        report = simulation_report(project, people, truth.known)
        document = {
            "project": str(project.pk),
            "decisions": decisions,
            "seconds": seconds,
            "truth": truth.sources,
            **report,
        }
        self.finish(document, _sentence(document), options["as_json"])


def _sentence(document: dict[str, Any]) -> str:
    accuracy, alpha = document["consensus_accuracy"], document["alpha"]
    parts = [f"{document['decisions']} decisions in {document['seconds']:.1f} s"]
    if accuracy is not None:
        parts.append(f"consensus right on {accuracy:.1%} of {document['settled']} settled layers")
    if alpha is not None:
        parts.append(f"alpha {alpha['value']:.2f} ({alpha['low']:.2f} to {alpha['high']:.2f})")
    return "; ".join(parts)
