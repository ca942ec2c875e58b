"""``python -m evaluation.composites``: the engine on composites with exact truth, true boxes given, and two baselines.

Per layer, from the box of the whole of it or (``--boxes visible``) of what is visible of it:

* alpha IoU: predicted against true amodal mask, both at alpha above one half;
* alpha MAE: mean absolute difference of the alphas over the whole picture, 0..1;
* hidden recall: share of the true hidden pixels (amodal, not visible) that the prediction covers, partly hidden
  layers only;
* visible error: largest difference, in 8-bit steps, from the source where the layer is opaque and said to be visible.

Per scene, hole error: mean absolute colour difference, 0..1, between predicted and true background where an object was.
A layer that the engine dropped or never made counts as an empty prediction, a missing background as the source itself.
Nothing is chosen after looking at the truth: predictions belong to the layer whose prompt they were made from.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from engine import recipes, runner
from engine.composites.cutouts import Cutouts
from engine.composites.generator import Composite, TrueLayer, compose, to_scene
from engine.composites.photographs import NoPictures, Photographs
from engine.imaging import iou, union
from engine.records import Picture
from evaluation import baselines
from evaluation.composites_table import markdown

CHUNK = 4
"""Composites per task of a process: few enough to share the work evenly."""
METHODS = ("engine", "grabcut", "box")
BOXES = ("amodal", "visible")


@dataclass(frozen=True, slots=True)
class LayerScore:
    seed: int
    method: str
    label: str
    occlusion: float
    iou: float
    mae: float
    hidden_recall: float | None
    visible_error: int = 0
    drop_reason: str = ""
    """Why the method made no layer here; empty when it did."""


@dataclass(frozen=True, slots=True)
class SceneScore:
    """The background of one composite by one method."""

    seed: int
    method: str
    hole_error: float
    made: bool


@dataclass(frozen=True)
class Options:
    count: int = 200
    size: int = 384
    seed: int = 0
    recipe: str = "cpu"
    photos: str = ""
    objects: str = ""
    boxes: str = "amodal"
    """Whether prompts are boxes of the whole layers or of what is visible of them."""


@dataclass(slots=True)
class Result:
    options: Options
    layers: list[LayerScore] = field(default_factory=list)
    scenes: list[SceneScore] = field(default_factory=list)


def score_layer(
    seed: int, method: str, true: TrueLayer, alpha_hw: Picture, visible_error: int = 0, drop_reason: str = ""
) -> LayerScore:
    """One predicted 8-bit alpha against its truth."""
    amodal = alpha_hw > 127
    hidden = true.layer.amodal_hw & ~true.layer.visible_hw
    return LayerScore(
        seed=seed,
        method=method,
        label=true.label,
        occlusion=true.occlusion,
        iou=float(iou(amodal, true.layer.amodal_hw)),
        mae=float(np.abs(alpha_hw.astype(np.float32) / 255.0 - true.layer.alpha_hw).mean(dtype=float)),
        hidden_recall=float(amodal[hidden].mean()) if hidden.any() else None,
        visible_error=visible_error,
        drop_reason=drop_reason,
    )


def score_background(made: Composite, method: str, background_hwc: Picture | None) -> SceneScore:
    hole = union((true.layer.amodal_hw for true in made.layers), *made.source_hwc.shape[:2])
    predicted = made.source_hwc if background_hwc is None else background_hwc
    error = np.abs(predicted[hole].astype(float) - made.background_hwc[hole]).mean() / 255
    return SceneScore(made.seed, method, float(error), background_hwc is not None)


def _engine(made: Composite, recipe: str, boxes: str) -> tuple[list[LayerScore], SceneScore]:
    scene = to_scene(made, "box" if boxes == "amodal" else "visible_box")
    runner.run([scene], recipes.find(recipe))
    nothing = np.zeros(made.source_hwc.shape[:2], np.uint8)
    scores = []
    for true, prompt in zip(made.layers, scene.given, strict=True):
        instance = next((i for i in scene.instances if i.given is prompt), None)
        reason = scene.drop_reason or (instance.drop_reason if instance else "not_found")
        if reason or instance is None or instance.layer is None:
            scores.append(score_layer(made.seed, "engine", true, nothing, drop_reason=reason))
            continue
        rgba = instance.layer.rgba_hwc
        sure = (rgba[..., 3] == 255) & instance.layer.visible_hw
        error = np.abs(rgba[sure][:, :3].astype(int) - made.source_hwc[sure]).max(initial=0)
        scores.append(score_layer(made.seed, "engine", true, rgba[..., 3], int(error)))
    background = scene.background if scene.is_kept else None
    picture = background.layer.rgba_hwc[..., :3] if background and background.layer else None
    return scores, score_background(made, "engine", picture)


def _baseline(made: Composite, method: str, given: str) -> tuple[list[LayerScore], SceneScore]:
    source = made.source_hwc
    boxes = [true.box if given == "amodal" else true.visible_box for true in made.layers]
    if method == "box":
        masks = [baselines.filled_box(source, box) for box in boxes]
    else:
        masks = [baselines.grabcut_alone(source, box, made.seed) for box in boxes]
    layers = zip(made.layers, masks, strict=True)
    scores = [score_layer(made.seed, method, true, mask.astype(np.uint8) * 255) for true, mask in layers]
    background = baselines.telea_background(source, union(masks, *source.shape[:2]))
    return scores, score_background(made, method, background)


def measure_seeds(seeds: Iterable[int], options: Options) -> Result:
    """Score the composites of some seeds in this process. Raises ``NoPictures`` for a folder without any."""
    # Twice the frame, so that a crop of half a photograph is not blown up.
    longest = 2 * options.size
    folder = Path(options.photos)
    photographs = Photographs.from_folder(folder, longest) if options.photos else Photographs.from_packages(longest)
    objects = Cutouts.from_folder(Path(options.objects)) if options.objects else None
    result = Result(options)
    for seed in seeds:
        made = compose(seed, options.size, photographs, objects)
        for scores, background in (
            _engine(made, options.recipe, options.boxes),
            *(_baseline(made, method, options.boxes) for method in METHODS[1:]),
        ):
            result.layers += scores
            result.scenes.append(background)
    return result


def measure(options: Options, jobs: int = 1, on_progress: Callable[[int], None] = lambda done: None) -> Result:
    """Score ``options.count`` composites; the result does not depend on ``jobs``. Told how many are done so far."""
    seeds = range(options.seed, options.seed + options.count)
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    result = Result(options)
    with ExitStack() as stack:
        each: Callable[..., Iterable[Result]] = map
        if jobs > 1:
            # Fresh processes: a fork would inherit OpenCV's and numba's locks without their threads, and hang.
            pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,))
            each = stack.enter_context(pool).map
        for part in each(measure_seeds, chunks, [options] * len(chunks)):
            result.layers += part.layers
            result.scenes += part.scenes
            on_progress(len({score.seed for score in result.scenes}))
    return result


def _tell(progress: str) -> None:
    sys.stderr.write(progress + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evaluation.composites", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=Options.count)
    parser.add_argument(
        "--size", type=int, default=Options.size, help="side of the pictures, px; recipes drop small ones"
    )
    parser.add_argument("--seed", type=int, default=Options.seed, help="of the first composite")
    parser.add_argument("--recipe", default=Options.recipe, choices=sorted(recipes.RECIPES))
    parser.add_argument("--photos", default="", metavar="DIR", help="photographs instead of the packages' own")
    parser.add_argument("--objects", default="", metavar="DIR", help="RGBA cut-outs beside the drawn objects")
    parser.add_argument("--boxes", default=Options.boxes, choices=BOXES, help="of whole layers, or of what is visible")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--json", action="store_true", help="print every score as JSON instead of the table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write to a file instead of standard output")
    given = vars(parser.parse_args(arguments))
    jobs, as_json, out = given.pop("jobs"), given.pop("json"), given.pop("out")
    if given["count"] < 1 or given["size"] < 32:
        parser.error("--count must be at least 1 and --size at least 32")
    try:
        result = measure(Options(**given), jobs, lambda done: _tell(f"{done} of {given['count']}"))
    except NoPictures as error:
        parser.error(str(error))
    text = json.dumps(asdict(result)) if as_json else markdown(result)
    if out:
        out.write_text(text + "\n")
    else:
        sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
