"""The closed loop on composites with known truth: engine, simulated people, freeze, train, score, votes, gate, again.

Every step goes through the services that people use. Stopped and called again it goes on with the step it was at.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from engine.management.console import WRONG_USE, ConsoleCommand, refusals_as_errors
from engine.records import LayerKind
from evaluation.loop_terms import BadTerms, LoopTerms
from evaluation.models import LoopRound
from evaluation.selectors.rounds import RoundRow, rounds_of
from evaluation.services.curation import compare_curation, compare_curation_often
from evaluation.services.loop import Tell, begin, next_round, work_on

OPTIONS = (
    "pictures", "growth", "vote_pictures", "annotators", "mends", "voters", "votes", "benchmark", "steps", "batch",
    "seed",
)  # fmt: skip
TIMES = ("engine", "judging", "training", "scoring", "voting")


class Command(ConsoleCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--rounds", type=int, default=3, help="that the project has at the end")
        parser.add_argument("--project", default="Closed loop", help="its name; made when it is not there")
        for name in OPTIONS:
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(LoopTerms(), name))
        parser.add_argument(
            "--curation",
            type=int,
            nargs="?",
            const=1,
            default=0,
            metavar="N",
            help="also compare, so many times, layers people accepted, 15 %% wrongly, with as many by lot",
        )
        parser.add_argument("--error-rate", type=float, default=LoopTerms().error_rate)
        parser.add_argument("--rate", type=float, default=LoopTerms().rate, help="of learning")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            terms = LoopTerms.from_json(options)
        except BadTerms as error:
            raise CommandError(f"{error.code}: {error}", returncode=WRONG_USE) from error
        if options["rounds"] < (0 if options["curation"] else 1):
            raise CommandError("--rounds is at least 1, beside --curation 0", returncode=WRONG_USE)
        with refusals_as_errors():
            project = begin(options["project"], terms)
            while LoopRound.objects.filter(project=project, finished_at__isnull=False).count() < options["rounds"]:
                work_on(next_round(project, terms), self.stderr.write)
            compared, means = _curation(options["project"], terms, options["curation"], self.stderr.write)
        rows = rounds_of(project, LayerKind.FOREGROUND.value)
        document = {"project": str(project.pk), "terms": terms.to_json(), "rounds": [row.to_json() for row in rows]}
        text = table(rows)
        for one in compared:
            text += f"\n\n{curation_table(one)}"
        if compared:
            document |= {"curation": compared, "curation_means": means}
            text += f"\n\n{means_table(means)}" if means else ""
        self.finish(document, text, options["as_json"])


def _curation(name: str, terms: LoopTerms, times: int, tell: Tell) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    if times < 2:
        return ([compare_curation(name, terms, tell)] if times else []), []
    return compare_curation_often(name, terms, times, tell)


def table(rows: list[RoundRow]) -> str:
    """As Markdown: what each round learned from, how good it was and where the time went."""
    heads = ("round", "layers", "accepted", "HPA (95 %)", "more than before", "Elo (95 %)", "gate", *TIMES)
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        spent = row.seconds
        engine = spent.get("engine", 0) + spent.get("vote_pictures", 0)
        times = [engine, *(spent.get(name, 0) for name in TIMES[1:])]
        cells = [
            str(row.number),
            "-" if row.layers is None else str(row.layers),
            "-" if row.acceptance is None else f"{100 * row.acceptance:.0f} %",
            _interval(row.hpa, "{:.3f}"),
            _interval(row.gain, "{:+.3f}"),
            _interval(row.rating, "{:.0f}"),
            row.gate.status if row.gate else "-",
            *(f"{seconds:.0f} s" for seconds in times),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if variants := {row.variant for row in rows if row.variant}:
        lines.append(f"\nHPA by the networks: {', '.join(sorted(variants))}.")
    return "\n".join(lines)


def curation_table(compared: dict[str, Any]) -> str:
    """As Markdown: both arms and their paired differences on the foreground board."""
    curated, by_lot = (f"{100 * share:.0f} %" for share in compared["right"])
    layers = " and ".join(map(str, compared["layers"]))
    lines = [
        f"Curated against by lot: {layers} layers, of which {curated} and {by_lot} are right.\n",
        "| metric | curated | by lot | difference (95 %) |",
        "|---|---|---|---|",
    ]
    for row in compared["scores"]:
        if row["board"] == LayerKind.FOREGROUND:
            ends = "" if row["low"] is None else f" [{row['low']:+.3g}, {row['high']:+.3g}]"
            lines.append(
                f"| {row['metric']} | {row['ours']:.4g} | {row['theirs']:.4g} | {row['difference']:+.3g}{ends} |"
            )
    return "\n".join(lines)


def means_table(means: list[dict[str, Any]]) -> str:
    """As Markdown: the mean of several comparisons on the foreground board."""
    rows = [row for row in means if row["board"] == LayerKind.FOREGROUND]
    lines = [
        f"Mean of {rows[0]['n'] if rows else 0} comparisons.\n",
        "| metric | curated less by lot (95 %) |",
        "|---|---|",
    ]
    lines += [f"| {row['metric']} | {row['difference']:+.3g} [{row['low']:+.3g}, {row['high']:+.3g}] |" for row in rows]
    return "\n".join(lines)


def _interval(ends: tuple[float | None, float, float | None] | None, form: str) -> str:
    if ends is None:
        return "-"
    low, value, high = ends
    shown = form.format(value)
    return shown if low is None or high is None else f"{shown} [{form.format(low)}, {form.format(high)}]"
