"""List the weights: what is there, how large, under which licence, which networks need them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from engine import networks, weights_folder
from engine.management.console import ConsoleCommand
from engine.weights import WEIGHTS, WeightsRow
from engine.weights_folder import State


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--verify", action="store_true", help="recompute every digest; exit 1 when one is wrong")

    def handle(self, *args: Any, verify: bool, **options: Any) -> None:
        rows = [_row(row) for row in WEIGHTS]
        wrong: dict[str, list[str]] = {}
        if verify:
            found = {row["name"]: weights_folder.differences(row["name"]) for row in rows}
            wrong = {name: files for name, files in found.items() if files}
        if not options["as_json"]:
            for row in rows:
                self.stdout.write(
                    f"{row['name']:<24} {row['state']:<8} {row['size_mb']:>7.0f} MB  {row['licence_class']:<15} "
                    f"{row['licence']:<34} {', '.join(row['needed_by']) or '-'}"
                )
        here = sum(row["state"] in (State.PRESENT, State.BY_HAND) for row in rows)
        document = {"root": str(weights_folder.root()), "weights": rows, "wrong": wrong}
        self.finish(document, f"{here} of {len(rows)} are in {weights_folder.root()}", options["as_json"])
        if wrong:
            told = "; ".join(f"{name}: {', '.join(files)}" for name, files in wrong.items())
            raise CommandError(f"damaged_weights: {told}")


def _row(row: WeightsRow) -> dict[str, Any]:
    state = weights_folder.state(row.name)
    lock = weights_folder.read_lock(weights_folder.folder(row.name))
    is_here = state is not State.ABSENT
    return {
        "name": row.name,
        "state": state.value,
        "size_mb": weights_folder.size_mb(row.name) if is_here else float(row.size_mb),
        "source": row.source,
        "revision": (lock.revision if lock else row.revision) or "not pinned yet",
        "licence": row.licence,
        "licence_class": row.licence_class.value,
        "is_gated": row.is_gated,
        "note": row.note,
        "needed_by": networks.users_of(row.name),
    }
