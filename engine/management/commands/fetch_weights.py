"""Download the weights that networks need, pin what was got, and check what is there already."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from engine import networks, recipes, weights, weights_folder
from engine.management.console import WRONG_USE, ConsoleCommand
from engine.weights_fetch import FetchFailed, fetch, to_standard_error


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("names", nargs="*", metavar="NAME", help="default: those of recipe permissive")
        parser.add_argument("--recipe", help="the weights of this recipe")
        parser.add_argument("--commercial-safe", action="store_true", help="refuse weights without commercial use")

    def handle(self, *args: Any, names: list[str], recipe: str | None, **options: Any) -> None:
        try:
            if not names:
                names = networks.weights_of(recipes.find(recipe or "permissive"))
            rows = [weights.find(name) for name in dict.fromkeys(names)]
            for row in rows if options["commercial_safe"] else ():
                weights.require_commercial_safe(row)
        except (weights.UnknownWeights, recipes.UnknownRecipe, weights.LicenceForbids) as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        fetched = []
        for number, row in enumerate(rows, 1):
            self.stderr.write(f"{number}/{len(rows)} {row.name}: {row.source}, about {row.size_mb} MB, {row.licence}")
            try:
                lock = fetch(row, on_progress=to_standard_error(row.name))
            except (FetchFailed, weights_folder.DamagedWeights) as error:
                raise CommandError(f"{error.code}: {error}") from error
            fetched.append({"name": row.name, "revision": lock.revision, "files": len(lock.files)})
        sentence = f"{len(fetched)} weights are here and checked: {weights_folder.root()}"
        self.finish({"root": str(weights_folder.root()), "weights": fetched}, sentence, options["as_json"])
