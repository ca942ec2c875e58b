"""Freeze the accepted layers of a project into a snapshot that never changes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors
from engine.refusals import Refusal
from engine.selectors.access import find_project
from training.rules import BadRules, Rules, rules_from_json
from training.selectors.candidates import Preview, preview
from training.services.freezing import freeze_snapshot
from training.services.frozen_files import header_of

LISTS = {"producers": "names of producers", "kinds": "foreground, background", "licences": "of the source pictures"}


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", required=True, help="id, slug or name")
        parser.add_argument("--name", help="of the snapshot; needed unless --dry-run")
        for name, text in LISTS.items():
            parser.add_argument(f"--{name}", nargs="+", default=[], help=f"only these: {text}")
        parser.add_argument("--since", default="", metavar="YYYY-MM-DD", help="first day on which a layer was made")
        parser.add_argument("--until", default="", metavar="YYYY-MM-DD", help="last day")
        parser.add_argument("--least-judgements", type=int, default=0, metavar="N")
        parser.add_argument("--least-agreement", type=float, default=0.0, metavar="SHARE", help="0 to 1")
        parser.add_argument("--validation", type=float, default=Rules().validation, metavar="SHARE")
        parser.add_argument("--test", type=float, default=Rules().test, metavar="SHARE")
        parser.add_argument("--seed", type=int, default=0, help="decides which pictures are in which split")
        parser.add_argument("--leave-out-reserved", action="store_true", help="instead of refusing such pictures")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be frozen")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["name"] and not options["dry_run"]:
            raise CommandError("--name is needed", returncode=WRONG_USE)
        with refusals_as_errors():
            project = find_project(options["project"])
            if project is None:
                raise Refusal("not_found", f"There is no project {options['project']}.", 404)
            rules = _rules(options)
            if options["dry_run"]:
                shown = preview(project, rules)
                self.finish(_preview(shown, rules), _sentence(shown), options["as_json"])
                return
            snapshot = freeze_snapshot(project=project, name=options["name"], rules=rules)
        document = {"id": str(snapshot.pk), "seconds": snapshot.seconds, **header_of(snapshot).to_json()}
        splits = ", ".join(f"{count} {split}" for split, count in snapshot.splits.items())
        sentence = f"{snapshot}: {snapshot.rows} layers ({splits}) in {snapshot.seconds:.1f} s, {snapshot.merkle_root}"
        self.finish(document, sentence, options["as_json"])


def _rules(options: dict[str, Any]) -> Rules:
    names = ("since", "until", "least_judgements", "least_agreement", "validation", "test", "seed", *LISTS)
    try:
        reserved = "leave_out" if options["leave_out_reserved"] else "refuse"
        return rules_from_json({**{name: options[name] for name in names}, "on_reserved": reserved})
    except BadRules as error:
        raise CommandError(f"{error.field}: {error}", returncode=WRONG_USE) from error


def _preview(shown: Preview, rules: Rules) -> dict[str, Any]:
    return {
        "rules": rules.to_json(),
        "layers": shown.layers,
        "pictures": shown.pictures,
        "splits": shown.splits,
        "counts": shown.counts,
        "reserved": [found.sentence for found in shown.reserved],
        "reserved_layers": shown.reserved_layers,
        "without_prompt": shown.without_prompt,
    }


def _sentence(shown: Preview) -> str:
    splits = ", ".join(f"{count} {split}" for split, count in shown.splits.items())
    lines = [f"{shown.layers} layers of {shown.pictures} pictures ({splits})"]
    lines += [f"reserved: {found.sentence}" for found in shown.reserved]
    return "\n".join(lines)
