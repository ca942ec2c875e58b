"""Fine-tune a reflayer-tiny checkpoint on accepted layers, automatic layers and composites.

``training.reflayer.train`` comes here when its base is such a checkpoint. The folder of a run holds ``config.json``,
``metrics.jsonl`` (as ``training.reflayer.metrics_log`` writes it), ``samples/``, ``state.pt`` and ``checkpoint/``.
Batch ``n`` is a function of ``n``, so a run that was stopped anywhere goes on to the same weights.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from engine.folder_output import write_atomically
from engine.imaging import iou
from training import manifest
from training.reflayer.config import BadConfig
from training.reflayer.examples import ManifestExamples
from training.reflayer.tiny.checkpoint import TRAINING_DATA, load_network, save_training_data
from training.reflayer.tiny.layer_samples import layer_sample
from training.reflayer.tiny.looks import look_twice
from training.reflayer.tiny.mask_network import MaskNetwork
from training.reflayer.tiny.mixture import (
    AUTOMATIC,
    COMPOSITE,
    COMPOSITES,
    VALIDATED,
    Composed,
    MixedSamples,
    Mixture,
    fixed_rng,
    mixture,
)
from training.reflayer.tiny.sample_grid import sample_grid
from training.reflayer.tiny.samples import Sample, draw_sample
from training.reflayer.tiny.train import TrainConfig, Trainer
from training.run_params import BATCH, STEPS

KIND = "fine_tune"
STAGE = "fine-tuning"
METRICS, SAMPLES, CHECKPOINT, STATE = "metrics.jsonl", "samples", "checkpoint", "state.pt"
GRID = 4

Show = Callable[[str, int, int], None]


class StoppedInside(Exception):
    """Asked to stop; the state is saved."""


@dataclass(frozen=True)
class FineTuneConfig:
    """``validated``, ``automatic``, ``composite``: sampling weights of layers people accepted, of layers the engine
    made and nobody judged, and of composites with known truth. Folders that are empty are left out."""

    base: str
    dataset: str = ""
    automatic_dataset: str = ""
    photos: str = ""
    validated: float = 0.6
    automatic: float = 0.0
    composite: float = 0.4
    steps: int = STEPS
    batch: int = BATCH
    rate: float = 2e-4
    warmup_steps: int = 5
    ema_decay: float = 0.95
    seed: int = 0
    threads: int = 0
    """0: as many as PyTorch takes by itself."""
    report_every: int = 1
    save_every: int = 10
    sample_every: int = 20
    validation_samples: int = 16
    """Of each kind, at the beginning and at the end."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.report_every, self.save_every, self.sample_every) < 1:
            raise BadConfig("steps, batch, report_every, save_every and sample_every are 1 or more")
        if min(self.weights.values()) < 0:
            raise BadConfig("validated, automatic and composite are weights from 0")

    @property
    def weights(self) -> dict[str, float]:
        return {VALIDATED: self.validated, AUTOMATIC: self.automatic, COMPOSITE: self.composite}

    def to_json(self) -> dict[str, Any]:
        return {"kind": KIND, **asdict(self)}


def from_json(data: dict[str, Any]) -> FineTuneConfig:
    """Raises ``BadConfig`` that names an unknown field or one of the wrong type."""
    given = {name: value for name, value in data.items() if name != "kind"}
    defaults = {one.name: "" if one.name == "base" else one.default for one in fields(FineTuneConfig)}
    for name, value in given.items():
        if name not in defaults:
            raise BadConfig(f"unknown {name}; have: {', '.join(defaults)}")
        kind = (int, float) if isinstance(defaults[name], float) else type(defaults[name])
        if not isinstance(value, kind) or isinstance(value, bool):
            raise BadConfig(f"{name}: {type(defaults[name]).__name__} is needed, not {value!r}")
    return FineTuneConfig(**given)


def run(config: FineTuneConfig, out: Path, show: Show, should_stop: Callable[[], bool]) -> dict[str, float]:
    """Train to the last step, from where ``out`` stands; returns the validation's numbers before and after.

    Raises ``StoppedInside`` when asked to stop, and the trainer's own errors; what was saved before stays as it is.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    data = _open(config)
    trainer = Trainer(load_network(Path(config.base)), _train_config(config))
    if (out / STATE).exists():
        trainer.go_on_from(out)
    log = _Log(out / METRICS, trainer.step)
    _save_training_data(config, out, data.mixed)
    if trainer.step == 0:
        log.write("validation", 0, _validate(trainer.averaged(), data.held_out))
        _save_samples(trainer, data, out)
        trainer.save(out)
    batches = _batches(data.mixed, config, trainer.step)
    started = time.monotonic()
    while trainer.step < config.steps:
        if should_stop():
            trainer.save(out)
            raise StoppedInside(f"stopped at step {trainer.step} of {config.steps}; its state is saved")
        numbers = trainer.learn(next(batches))
        now = time.monotonic()
        numbers["samples_per_s"], started = config.batch / max(now - started, 1e-6), now
        if trainer.step % config.report_every == 0 or trainer.step == config.steps:
            log.write("train", trainer.step, {**numbers, "lr": trainer.rate})
        show(STAGE, trainer.step, config.steps)
        if trainer.step % config.sample_every == 0 or trainer.step == config.steps:
            _save_samples(trainer, data, out)
        if trainer.step % config.save_every == 0 and trainer.step < config.steps:
            trainer.save(out)
    # Numbers of a network that is then not saved, for its weights are not finite, would be a checkpoint's nowhere.
    trainer.save(out)
    after = _validate(trainer.averaged(), data.held_out)
    log.write("validation", trainer.step, after)
    return after | {f"{name}_before": value for name, value in log.first_validation().items()}


def _train_config(config: FineTuneConfig) -> TrainConfig:
    return TrainConfig(
        steps=config.steps,
        batch=config.batch,
        rate=config.rate,
        warmup_steps=config.warmup_steps,
        ema_decay=config.ema_decay,
        second_from=0.0,
        seed=config.seed,
    )


@dataclass(frozen=True)
class _Data:
    mixed: Mixture
    held_out: dict[str, list[Sample]]


def _open(config: FineTuneConfig) -> _Data:
    """Held out are layers of the dataset's validation split, and composites that no step asks for."""
    layers, held_out = {}, {}
    for name, folder in ((VALIDATED, config.dataset), (AUTOMATIC, config.automatic_dataset)):
        if folder and config.weights[name] > 0:
            layers[name] = ManifestExamples(Path(folder), "train")
    mixed = mixture(config.weights, layers, Path(config.photos) if config.photos else None)
    count = config.validation_samples
    if config.dataset:
        try:
            apart = ManifestExamples(Path(config.dataset), "validation")
        except manifest.BadManifest:
            apart = None  # a small dataset has no such split
        if apart is not None:
            places = np.linspace(0, len(apart) - 1, min(count, len(apart))).round().astype(int)
            held_out["layers"] = [layer_sample(apart, fixed_rng(n), as_is=True, index=int(n)) for n in places]
    composed: Composed | None = mixed.composed
    if composed is not None:
        held_out["composites"] = [draw_sample(_Last(composed, count), config.seed, n, as_is=True) for n in range(count)]
    return _Data(mixed, {name: samples for name, samples in held_out.items() if samples})


class _Last:
    """The last composites of all."""

    def __init__(self, composed: Composed, count: int) -> None:
        self.composed, self.count = composed, max(1, count)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Any:
        return self.composed[COMPOSITES + number]


def _batches(mixed: Mixture, config: FineTuneConfig, from_step: int) -> Iterator[dict[str, torch.Tensor]]:
    samples = MixedSamples(mixed, config.seed, from_step * config.batch, config.steps * config.batch)
    yield from DataLoader(samples, batch_size=config.batch)


def _validate(network: MaskNetwork, held_out: dict[str, list[Sample]]) -> dict[str, float]:
    """Mean alpha IoU of the second look, 0..1, of how many: ``iou_layers``, ``n_layers``, the same of composites."""
    numbers: dict[str, float] = {}
    for name, samples in held_out.items():
        scores = [
            iou(look_twice(network, sample.source_hwc, sample.prompt)[1][0] > 0.5, sample.target.alpha > 0.5)
            for sample in samples
        ]
        numbers |= {f"iou_{name}": round(float(np.mean(scores)), 4), f"n_{name}": float(len(scores))}
    return numbers


def _save_samples(trainer: Trainer, data: _Data, out: Path) -> None:
    shown: Sequence[Sample] = [sample for samples in data.held_out.values() for sample in samples[: GRID // 2]]
    if shown:
        write_atomically(out / SAMPLES / f"{trainer.step:08d}.png", sample_grid(trainer.averaged(), shown[:GRID]))


def _save_training_data(config: FineTuneConfig, out: Path, mixed: Mixture) -> None:
    """The parent's list, and what this run adds to it: pictures by the digest of their PNG."""
    path = Path(config.base) / TRAINING_DATA
    parts: list[Any] = json.loads(path.read_text())["parts"] if path.exists() else []
    for source, examples in mixed.layers.items():
        if isinstance(examples, ManifestExamples):
            pictures = {f"{source} {digest[:12]}": digest for digest in sorted(examples.pictures)}
            parts.append({"part": source, "photographs": pictures, "objects": {}, "families": []})
    if mixed.composed is not None:
        parts.append(json.loads(mixed.composed.given.to_json()))
    save_training_data(out / CHECKPOINT, parts)


class _Log:
    """Rows of ``metrics.jsonl``; those after the step that a run goes on from are dropped, for they come again."""

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        kept = []
        if path.exists():
            # The last line may be torn: whoever wrote it was killed.
            for line in path.read_text().splitlines():
                try:
                    row = json.loads(line)
                except ValueError:
                    break
                if (row["step"], row["kind"]) <= (step, "train"):
                    kept.append(row)
        write_atomically(path, "".join(json.dumps(row) + "\n" for row in kept).encode())
        self.rows = kept

    def first_validation(self) -> dict[str, float]:
        first: dict[str, Any] = next((row for row in self.rows if row["kind"] == "validation"), {})
        return {name: value for name, value in first.items() if name.startswith("iou_")}

    def write(self, kind: str, step: int, numbers: dict[str, float]) -> None:
        finite = {key: round(value, 8) if math.isfinite(value) else None for key, value in numbers.items()}
        row = {"kind": kind, "stage": STAGE, "stage_number": 0, "step": step, **finite}
        self.rows.append(row)
        with self.path.open("a") as opened:
            opened.write(json.dumps(row) + "\n")
