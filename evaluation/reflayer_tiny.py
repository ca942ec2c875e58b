"""``python -m evaluation.reflayer_tiny``: the shipped checkpoint on composites it was not trained on, and baselines.

Two sets: ``composites``, drawn objects of shape families kept out of training on photographs kept out of training;
and, with ``--objects``, ``cutouts``, real cut-outs kept out of training on such photographs. Photographs and objects
named in the checkpoint's ``training_data.json`` are left out by their digest. One object per composite is asked for by
a point, a box, a mask, a box with a point and a mask with a box; boxes are of the visible part, masks are the true
visible mask. The background is asked for with the masks of all objects given, and without.

Per answer: IoU of the visible and of the amodal mask, mean absolute error of alpha over the picture (0..1), share of
the hidden pixels that are covered, and mean absolute error of colours (0..1) over the truly visible and over the
truly hidden pixels, the latter where at least 5 % of the object is hidden. For backgrounds the mean absolute error of
colours where an object was. Nothing is chosen after looking at the truth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import torch

from engine.composites import shapes
from engine.composites.cutouts import Cutouts
from engine.composites.generator import compose
from engine.composites.photographs import NoPictures, Photographs
from engine.imaging import sha256
from evaluation.reflayer_tiny_table import markdown
from evaluation.tiny_scores import BackgroundScore, Score, baseline_scores, network_scores
from training.reflayer.tiny.checkpoint import BrokenCheckpoint, trained_on
from training.reflayer.tiny.pipeline import SHIPPED, RefLayerTinyPipeline

SIZE = 128
CHUNK = 25
"""Composites per task of a process."""


@dataclass(frozen=True)
class Options:
    checkpoint: str = str(SHIPPED)
    count: int = 200
    seed: int = 9_000_000
    photos: str = ""
    objects: str = ""
    part: str = "all"
    """``all``, or only ``network`` or ``baselines``, which do not depend on the weights."""
    set: str = "all"


@dataclass(slots=True)
class Result:
    options: Options
    name: str
    layers: list[Score] = field(default_factory=list)
    backgrounds: list[BackgroundScore] = field(default_factory=list)


@dataclass(frozen=True)
class HeldOut:
    """What a checkpoint never saw."""

    photographs: Photographs
    objects: Cutouts | None
    families: tuple[str, ...]


def held_out(options: Options) -> HeldOut:
    """The photographs, objects and shape families of ``options`` without those of the checkpoint's training data.

    Raises ``NoPictures`` when nothing is left and ``BrokenCheckpoint`` when the checkpoint does not say.
    """
    seen = trained_on(Path(options.checkpoint))
    longest_px = 2 * SIZE
    folder = Path(options.photos)
    photographs = (
        Photographs.from_folder(folder, longest_px) if options.photos else Photographs.from_packages(longest_px)
    )
    objects = Cutouts.from_folder(Path(options.objects)) if options.objects else None

    def new(files: Mapping[str, Path]) -> list[str]:
        return [name for name, path in files.items() if sha256(path.read_bytes()) not in seen.digests]

    unseen = photographs.only(new(photographs.files))
    if objects is not None:
        objects = objects.only(new(objects.files))
    families = tuple(sorted(set(shapes.FAMILIES) - seen.families))
    if not families:
        raise NoPictures("the checkpoint was trained on every shape family")
    return HeldOut(unseen, objects, families)


def measure_seeds(name: str, seeds: Sequence[int], options: Options) -> Result:
    """One set's composites of some seeds in this process."""
    unseen = held_out(options)
    pipeline = RefLayerTinyPipeline.from_pretrained(options.checkpoint)
    objects, drawn_share = (None, 1.0) if name == "composites" else (unseen.objects, 0.0)
    result = Result(options, name)
    for seed in seeds:
        made = compose(seed, SIZE, unseen.photographs, objects, unseen.families, drawn_share)
        parts = []
        if options.part != "baselines":
            parts.append(network_scores(made, pipeline))
        if options.part != "network":
            parts.append(baseline_scores(made))
        for layers, backgrounds in parts:
            result.layers += layers
            result.backgrounds += backgrounds
    return result


def measure(options: Options, jobs: int = 1, on_progress: Callable[[int], None] = lambda done: None) -> list[Result]:
    """The ``composites`` set, and with objects the ``cutouts`` set, ``options.count`` composites each.

    The result does not depend on ``jobs``. Raises what ``held_out`` raises, and ``BrokenCheckpoint``.
    """
    names = ["composites", "cutouts"] if held_out(options).objects is not None else ["composites"]
    names = [name for name in names if options.set in ("all", name)]
    RefLayerTinyPipeline.from_pretrained(options.checkpoint)
    every = range(options.seed, options.seed + options.count)
    parts = [(name, every[start : start + CHUNK]) for name in names for start in range(0, len(every), CHUNK)]
    results = {name: Result(options, name) for name in names}
    with ExitStack() as stack:
        each: Callable[..., Iterable[Result]] = map
        if jobs > 1:
            # Fresh processes: a fork would inherit torch's and OpenCV's locks without their threads.
            pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_one_thread)
            each = stack.enter_context(pool).map
        for done, part in enumerate(each(measure_seeds, *zip(*parts, strict=True), [options] * len(parts)), 1):
            results[part.name].layers += part.layers
            results[part.name].backgrounds += part.backgrounds
            on_progress(min(done * CHUNK, len(names) * options.count))
    return list(results.values())


def add(results: list[Result], stored: list[dict[str, Any]]) -> None:
    """Put scores that ``--json`` wrote beside those of the same set and the same composites."""
    for row in stored:
        for result in results:
            if result.name == row["name"]:
                last = result.options.seed + result.options.count
                result.layers += [Score(**s) for s in row["layers"] if result.options.seed <= s["seed"] < last]
                result.backgrounds += [
                    BackgroundScore(**s) for s in row["backgrounds"] if result.options.seed <= s["seed"] < last
                ]


def _one_thread() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _tell(progress: str) -> None:
    sys.stderr.write(progress + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.reflayer_tiny", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--checkpoint", default=Options.checkpoint, metavar="DIR")
    parser.add_argument("--count", type=int, default=Options.count)
    parser.add_argument("--seed", type=int, default=Options.seed, help="of the first composite")
    parser.add_argument("--photos", default="", metavar="DIR", help="photographs instead of the packages' own")
    parser.add_argument("--objects", default="", metavar="DIR", help="RGBA cut-outs for the second set")
    parser.add_argument("--part", default="all", choices=("all", "network", "baselines"), help="measure only this")
    parser.add_argument("--set", default="all", choices=("all", "composites", "cutouts"), help="measure only this")
    parser.add_argument("--add", type=Path, action="append", default=[], metavar="FILE", help="scores as --json wrote")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", action="store_true", help="print every score as JSON instead of the tables")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to a file instead of standard output")
    given = vars(parser.parse_args(arguments))
    jobs, as_json, out, added = given.pop("jobs"), given.pop("json"), given.pop("out"), given.pop("add")
    if given["count"] < 1:
        parser.error("--count must be at least 1")
    try:
        results = measure(Options(**given), jobs, lambda done: _tell(f"{done} done"))
    except (NoPictures, BrokenCheckpoint) as error:
        parser.error(str(error))
    for path in added:
        add(results, json.loads(path.read_text()))
    text = json.dumps([asdict(r) for r in results]) if as_json else "\n\n".join(markdown(r) for r in results)
    if out:
        out.write_text(text + "\n")
    else:
        sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
