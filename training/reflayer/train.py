"""``python -m training.reflayer.train --config FILE|RECIPE --out DIR``: one training run, in the foreground.

Progress goes to standard error; the last line of standard output is one JSON object. Exit 0 done, 1 failed, 2 wrong
use, 3 stopped by a signal with its state saved. ``--resume`` goes on with the configuration saved in ``DIR``.

A base that is a reflayer-tiny checkpoint is fine-tuned (``training.reflayer.tiny.fine_tune``): the recipe says nothing
then, and ``--params`` are fields of that configuration.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from accelerate import PartialState
from accelerate.utils import parse_flag_from_env
from safetensors import SafetensorError

from engine.composites.photographs import NoPictures
from engine.folder_output import write_atomically
from engine.revision import code_revision
from training import recipes
from training.manifest import BadManifest
from training.reflayer import card, run_state
from training.reflayer import config as configs
from training.reflayer.build import Data, open_data, start_pipeline
from training.reflayer.checkpoint import BrokenCheckpoint
from training.reflayer.config import BadConfig, TrainConfig
from training.reflayer.loading import load_pipeline
from training.reflayer.metrics_log import MissingTracker
from training.reflayer.optimisation import TrainingDiverged
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.run_state import NonFiniteWeights, Position
from training.reflayer.tiny import checkpoint as tiny_checkpoint
from training.reflayer.tiny import fine_tune
from training.reflayer.tiny.fine_tune import FineTuneConfig
from training.reflayer.tiny.mixture import NothingToLearn
from training.reflayer.tiny.train import NonFiniteLoss
from training.reflayer.trainer import CHECKPOINT, STATE, Stopped, Trainer
from training.run_process import alone_in, end_with_parent, is_disk_full

WRONG_USE, STOPPED = 2, 3
REPORT_EVERY_S = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.reflayer.train", description=__doc__)
    parser.add_argument("--config", help=f"a JSON file, or a recipe: {', '.join(recipes.RECIPES)}")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--dataset", help="folder of a frozen dataset, instead of the configuration's data")
    parser.add_argument("--base", help="folder of the checkpoint to start from")
    parser.add_argument("--photos", help="folder of photographs for composites")
    parser.add_argument("--objects", help="folder of RGBA cut-outs for composites")
    parser.add_argument("--steps", type=int, help="steps of every stage")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--automatic", help="folder of a second dataset: layers that nobody has judged")
    parser.add_argument("--mix", type=_mix, help="weights of dataset, automatic layers and composites: 0.6,0,0.4")
    parser.add_argument("--params", type=json.loads, default={}, help="JSON: more fields of the configuration")
    parser.add_argument("--ends-with-parent", action="store_true", help="stop at once when standard input closes")
    options = parser.parse_args(argv)
    if options.ends_with_parent:
        end_with_parent()
    try:
        config = _config(options)
    except (BadConfig, recipes.UnknownRecipe) as error:
        return _fail(error, WRONG_USE)
    stop = _StopSignal()
    try:
        with alone_in(options.out):
            return _run(config, options.out, options.resume, stop)
    except (Stopped, fine_tune.StoppedInside) as stopped:
        _finish({"out": str(options.out), "stopped": str(stopped)})
        return STOPPED
    except (
        BadConfig, BadManifest, BrokenCheckpoint, MissingTracker, NonFiniteWeights, NoPictures, TrainingDiverged,
        tiny_checkpoint.BrokenCheckpoint, tiny_checkpoint.NonFiniteWeights, NonFiniteLoss, NothingToLearn,
    ) as error:  # fmt: skip
        return _fail(error, 1)
    except (OSError, RuntimeError, SafetensorError) as error:
        if not is_disk_full(error):
            raise
        return _fail(OutOfDisk(f"{options.out}: no space left; what was saved before is whole"), 1)


class OutOfDisk(OSError):
    code = "out_of_disk"


def _mix(text: str) -> tuple[float, float, float]:
    validated, automatic, composite = (float(part) for part in text.split(","))
    return validated, automatic, composite


def _config(options: argparse.Namespace) -> TrainConfig | FineTuneConfig:
    saved = options.out / "config.json"
    if options.resume:
        return _read(saved)
    if saved.exists():
        raise BadConfig(f"{options.out} holds a run; go on with --resume or choose another folder")
    if not options.config:
        raise BadConfig("--config names a file or a recipe")
    if options.base and _is_tiny(Path(options.base)):
        return _fine_tuning(options)
    is_file = options.config.endswith(".json") or Path(options.config).is_file()
    config = configs.read(Path(options.config)) if is_file else recipes.find(options.config)
    names = ("dataset", "automatic", "photos", "objects")
    data: dict[str, Any] = {name: value for name in names if (value := getattr(options, name))}
    if options.mix:
        data |= dict(zip(("validated_weight", "automatic_weight", "composite_weight"), options.mix, strict=True))
    changes = {name: value for name in ("base", "seed") if (value := getattr(options, name)) is not None}
    stages = config.stages
    if options.steps is not None:
        stages = tuple(replace(stage, steps=options.steps) for stage in stages)
    return replace(config, data=replace(config.data, **data), stages=stages, **changes)


def _is_tiny(base: Path) -> bool:
    try:
        return bool(json.loads((base / "model_index.json").read_bytes())["_class_name"] == tiny_checkpoint.CLASS_NAME)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _fine_tuning(options: argparse.Namespace) -> FineTuneConfig:
    names = {"base": "base", "dataset": "dataset", "automatic_dataset": "automatic", "photos": "photos"}
    given = {name: value for name, option in names.items() if (value := getattr(options, option))}
    numbers = {name: value for name in ("steps", "seed") if (value := getattr(options, name)) is not None}
    mix = dict(zip(("validated", "automatic", "composite"), options.mix, strict=True)) if options.mix else {}
    return fine_tune.from_json({**given, **numbers, **mix, **options.params})


def _read(path: Path) -> TrainConfig | FineTuneConfig:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path}: {error}") from error
    return fine_tune.from_json(data) if data.get("kind") == fine_tune.KIND else configs.from_json(data)


def _run(config: TrainConfig | FineTuneConfig, out: Path, is_resumed: bool, stop: _StopSignal) -> int:
    if isinstance(config, TrainConfig):
        return _train(config, out, is_resumed, stop)
    started = time.monotonic()
    write_atomically(out / "config.json", json.dumps(config.to_json(), indent=2).encode() + b"\n")
    numbers = fine_tune.run(config, out, Progress(), stop.is_set)
    _finish(_document(out, started, numbers))
    return 0


def _document(out: Path, started: float, numbers: dict[str, float]) -> dict[str, object]:
    return {
        "out": str(out),
        "checkpoint": str(out / CHECKPOINT),
        "code_revision": code_revision(),
        "seconds": round(time.monotonic() - started, 1),
        "metrics": numbers,
    }


def _train(config: TrainConfig, out: Path, is_resumed: bool, stop: _StopSignal) -> int:
    started = time.monotonic()
    data = open_data(config.data, config.seed)
    processes = PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU"))
    processes.wait_for_everyone()  # each has seen that the folder was free before one of them takes it
    if processes.is_main_process:
        write_atomically(out / "config.json", json.dumps(config.to_json(), indent=2).encode() + b"\n")
    position, state = _where(out) if is_resumed else (None, None)
    show = Progress()
    with processes.main_process_first():  # a base from scratch is made by one process and read by the others
        pipeline = _pipeline(config, out, data, position, show)
    trainer = Trainer(config, pipeline, data, out, show, stop.is_set)
    numbers = trainer.run(position, state)
    if processes.is_main_process:
        _finish(_document(out, started, numbers))
    return 0


def _where(out: Path) -> tuple[Position | None, Path | None]:
    """Where a run stands: the latest state, unless its stage was already finished into the checkpoint."""
    done = _stages_done(out / CHECKPOINT)
    found = run_state.latest(out / STATE)
    if found is not None and found[0].stage >= done:
        return found
    return (Position(done, 0), None) if done else (None, None)


def _stages_done(folder: Path) -> int:
    try:
        return card.read(folder).stages_done
    except (OSError, ValueError, TypeError):
        return 0


def _pipeline(
    config: TrainConfig, out: Path, data: Data, position: Position | None, show: Progress
) -> RefLayerPipeline:
    if position is not None and position.stage > 0:
        pipeline: RefLayerPipeline = load_pipeline(out / CHECKPOINT)
        return pipeline
    return start_pipeline(config, out, data, show)


class Progress:
    """A line on standard error: redrawn on a terminal, every few seconds elsewhere."""

    def __init__(self) -> None:
        self._shown_at = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        is_terminal = sys.stderr.isatty()
        if done < total and now - self._shown_at < (0.2 if is_terminal else REPORT_EVERY_S):
            return
        self._shown_at = now
        sys.stderr.write(f"\r{what} {done}/{total} " if is_terminal else f"{what} {done}/{total}\n")
        sys.stderr.flush()


class _StopSignal:
    """Set by the first SIGINT or SIGTERM; the run then saves its state and ends. A second one ends it at once."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self._asked = True
        signal.signal(number, signal.SIG_DFL)

    def is_set(self) -> bool:
        return self._asked


def _finish(document: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"{getattr(error, 'code', 'failed')}: {error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
