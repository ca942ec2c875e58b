"""Fit the post-filter's combination of scores on the layers of a project that people accepted and rejected.

Prints how well it tells them apart on pictures held out (AUC) and what the limit costs. With ``--use`` the recipes with
networks take it from now on; it then stands in every run's recipe, so old runs keep what they had.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from engine import recipes
from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors
from engine.selectors.access import find_project
from engine.services.postfilter import fit_postfilter, write_fit


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", required=True, help="id, slug or name")
        parser.add_argument("--recall", type=float, default=0.95, help="share of the accepted layers to keep")
        parser.add_argument("--out", type=Path, help="write the combination to this file")
        parser.add_argument("--use", action="store_true", help="let the recipes with networks use it")

    def handle(self, *args: Any, project: str, recall: float, out: Path | None, use: bool, **options: Any) -> None:
        if not 0.5 <= recall < 1.0:
            raise CommandError("--recall must be at least 0.5 and less than 1", returncode=WRONG_USE)
        found = find_project(project)
        if found is None:
            raise CommandError(f"not_found: there is no project {project!r}")
        with refusals_as_errors():
            result = fit_postfilter(found, recall)
        document: dict[str, Any] = {}
        for path in [out] * (out is not None) + [recipes.fitted_postfilter_file()] * use:
            assert path is not None
            document = write_fit(result, path)
        strongest = ", ".join(f"{name} {weight:+.2f}" for name, weight in result.ranking[:5])
        sentence = (
            f"{result.layers} layers ({result.accepted} accepted) of {result.pictures} pictures: AUC {result.auc:.3f}; "
            f"limit {result.combination.limit:.3f} keeps {result.recall:.1%} of the accepted and {result.kept:.1%} of "
            f"all, of which {result.precision:.1%} are accepted; strongest: {strongest}"
        )
        self.finish(
            {
                "project": str(found.id),
                "layers": result.layers,
                "accepted": result.accepted,
                "pictures": result.pictures,
                "auc": result.auc,
                "limit": result.combination.limit,
                "recall": result.recall,
                "precision": result.precision,
                "kept": result.kept,
                "weights": dict(result.ranking),
                "written": bool(document),
            },
            sentence,
            options["as_json"],
        )
