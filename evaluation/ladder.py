"""``python -m evaluation.ladder``: do the metrics notice faults, and in the right order?

Truth from composites, producers that are worse than it by a known amount (``evaluation.degrade``), every metric on
every ladder. A metric that turns an order around *fails* there and is reported so; one that does not move at all is
*blind* to that fault, which can be right (a hole in the hidden part says nothing of the visible part).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from engine.composites.generator import compose
from engine.composites.photographs import Photographs
from engine.records import LayerKind
from evaluation.composite_pairs import all_pairs
from evaluation.degrade import LADDERS, Ladder, producers
from evaluation.features.networks import MissingWeights, Networks, NoDevice, load_variant
from evaluation.features.variants import VARIANTS, best_here
from evaluation.metrics.pairs import LayerPair
from evaluation.scoring import Board, Protocol, Scorer

ORDERED, BLIND, PARTLY, FAILS, UNDEFINED = "ordered", "blind", "partly blind", "fails", "undefined"
METRICS = (
    "s_vis", "s_vis_area", "s_vis_alpha", "s_gen", "s_fid", "s_fid_own", "s_fid_checker", "kid", "cmmd", "mse",
    "connectivity", "edge_colour",
)  # fmt: skip
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Climb:
    """One metric on one ladder: values from the truth to the worst grade."""

    ladder: str
    board: str
    metric: str
    values: tuple[float | None, ...]
    verdict: str


def judge(values: Sequence[float | None], better: str) -> str:
    """Worse with every grade; unmoved by all or some of them; better with one: failing; or undefined somewhere."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return UNDEFINED
    if max(known) - min(known) <= SAME:
        return BLIND
    sign = 1 if better == "lower" else -1
    steps = [sign * (later - earlier) for earlier, later in pairwise(known)]
    if min(steps) < -SAME:
        return FAILS
    return ORDERED if min(steps) > SAME else PARTLY


def climb(
    pairs: Sequence[LayerPair],
    networks: Networks,
    ladders: Sequence[Ladder] = LADDERS,
    protocol: Protocol | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> list[Climb]:
    """Every metric and HPA on every ladder and board, in that order."""
    scorer = Scorer(networks, protocol or Protocol(groups=0))
    truth = _boards(scorer, pairs, lambda pair: pair, keep_truths=False)
    climbs: list[Climb] = []
    for ladder in ladders:
        steps = [truth]
        for producer in producers(ladder):
            on_progress(producer.name)
            steps.append(_boards(scorer, pairs, producer.degrade, keep_truths=True))
        for kind in steps[0]:
            if kind is LayerKind.FOREGROUND or ladder.backgrounds_too:
                climbs += _climbs(ladder.name, [boards[kind] for boards in steps])
    return climbs


def _boards(
    scorer: Scorer, pairs: Sequence[LayerPair], degrade: Callable[[LayerPair], LayerPair], keep_truths: bool
) -> dict[LayerKind, Board]:
    scorer.reset(keep_truths)
    scorer.update([degrade(pair) for pair in pairs])
    return {board.kind: board for board in scorer.compute().boards}


def _climbs(ladder: str, steps: Sequence[Board]) -> list[Climb]:
    board = steps[0].kind.value
    hpas = tuple(step.hpa.value for step in steps)
    found = [Climb(ladder, board, "hpa", hpas, judge(hpas, "higher"))]
    for metric in METRICS:
        values = tuple(step.results[metric].value for step in steps)
        found.append(Climb(ladder, board, metric, values, judge(values, steps[0].results[metric].better)))
    return found


def markdown(climbs: Sequence[Climb]) -> str:
    """Ladders down, metrics across; HPA's values in full."""
    by_row: dict[tuple[str, str], dict[str, Climb]] = {}
    for one in climbs:
        by_row.setdefault((one.board, one.ladder), {})[one.metric] = one
    lines = [
        f"| board | ladder | HPA from truth to worst | {' | '.join(METRICS)} |",
        "|---|---|---|" + "---|" * len(METRICS),
    ]
    for (board, ladder), row in by_row.items():
        values = " > ".join("-" if value is None else f"{value:.3f}" for value in row["hpa"].values)
        verdict = "" if row["hpa"].verdict == ORDERED else f" ({row['hpa'].verdict})"
        lines.append(f"| {board} | {ladder} | {values}{verdict} | {' | '.join(row[m].verdict for m in METRICS)} |")
    return "\n".join(lines)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.ladder", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=40, help="composites the truth is taken from")
    parser.add_argument("--size", type=int, default=256, help="side of the composites, px")
    parser.add_argument("--seed", type=int, default=20000, help="of the first composite")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--networks", choices=VARIANTS, help="published, or else offline-reflayer-tiny")
    parser.add_argument("--out", type=Path, metavar="FILE", help="all values as JSON as well")
    given = parser.parse_args(arguments)
    if given.count < 2 or given.size < 64:
        parser.error("--count must be at least 2 and --size at least 64")
    try:
        networks = load_variant(given.networks or best_here(), given.device)
    except (MissingWeights, NoDevice) as error:
        parser.error(str(error))
    photographs = Photographs.from_packages(2 * given.size)
    pairs = all_pairs(compose(seed, given.size, photographs) for seed in range(given.seed, given.seed + given.count))
    climbs = climb(pairs, networks, on_progress=_tell)
    if given.out:
        given.out.write_text(json.dumps([asdict(one) for one in climbs], indent=1) + "\n")
    about = f"{len(pairs)} layers of {given.count} composites at {given.size} px, networks: {networks.variant}"
    sys.stdout.write(f"{about}\n\n{markdown(climbs)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
