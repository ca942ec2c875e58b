"""From a configuration to the things a run needs: examples and the pipeline it starts from."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.composites.cutouts import Cutouts
from engine.composites.photographs import Photographs
from training.reflayer import checkpoint
from training.reflayer.config import DataConfig, TrainConfig
from training.reflayer.examples import CompositeExamples, Examples, ManifestExamples
from training.reflayer.loading import from_base, load_base, load_pipeline
from training.reflayer.mixed_examples import MixedExamples
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.scratch import fit_autoencoder, scratch_sd3

HELD_OUT_SEED = 900_000_000
"""First seed of held-out composites: far beyond what any run trains on."""

OnProgress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is."""


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    train: Examples
    held_out: Examples
    name: str
    digest: str = ""


def open_data(config: DataConfig, seed: int) -> Data:
    """Raises ``training.manifest.BadManifest`` or ``engine.composites.photographs.NoPictures``."""
    if config.dataset:
        train = ManifestExamples(Path(config.dataset), "train")
        held_out = ManifestExamples(Path(config.dataset), "validation")
        return Data(_mixed(config, seed, train), held_out, train.header.name, train.header.digest)
    photographs = Photographs.from_folder(Path(config.photos)) if config.photos else Photographs.from_packages()
    objects = Cutouts.from_folder(Path(config.objects)) if config.objects else None
    train_seed, held_out_seed = seed * 1_000_000, HELD_OUT_SEED + seed
    return Data(
        CompositeExamples(config.composites, train_seed, config.composite_px, photographs, objects),
        CompositeExamples(config.held_out_composites, held_out_seed, config.composite_px, photographs, objects),
        f"{config.composites} examples of composites ({config.composite_px} px, seeds from {train_seed})",
    )


def _mixed(config: DataConfig, seed: int, validated: ManifestExamples) -> Examples:
    """The dataset alone, or as often among automatic layers and composites as its weight says."""
    parts: list[tuple[Examples, float]] = [(validated, config.validated_weight)]
    if config.automatic and config.automatic_weight:
        parts.append((ManifestExamples(Path(config.automatic), "train"), config.automatic_weight))
    if config.composite_weight:
        photographs = Photographs.from_folder(Path(config.photos)) if config.photos else Photographs.from_packages()
        made = CompositeExamples(config.composites, seed * 1_000_000, config.composite_px, photographs)
        parts.append((made, config.composite_weight))
    return validated if len(parts) == 1 else MixedExamples(parts, seed)


def start_pipeline(config: TrainConfig, out: Path, data: Data, on_progress: OnProgress) -> RefLayerPipeline:
    """What the first stage starts from: a RefLayer checkpoint, an SD3-format folder, or a tiny one from scratch.

    The one from scratch is fitted once and kept under ``out/base``. Raises ``BrokenCheckpoint``.
    """
    if config.base and checkpoint.read_index(Path(config.base))["_class_name"] == "RefLayerPipeline":
        parent: RefLayerPipeline = load_pipeline(config.base)
        return parent
    folder = Path(config.base) if config.base else out / "base"
    if not config.base and not folder.exists():
        _make_scratch(config, folder, data, on_progress)
    return from_base(
        load_base(folder, config.with_t5 and bool(config.base)),
        config.injector,
        config.alpha_decoder,
        config.transparency,
        config.canvas_colour,
        config.buckets.resolution,
        config.offset_gain,
    )


def _make_scratch(config: TrainConfig, folder: Path, data: Data, on_progress: OnProgress) -> None:
    base = scratch_sd3(config.scratch, config.seed)

    def report(done: int, total: int, loss: float) -> None:
        on_progress(f"autoencoder, loss {loss:.3f}", done, total)

    size = config.buckets.resolution
    fit_autoencoder(base.vae, data.train, config.scratch, size, config.seed, report)
    unfinished = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        with checkpoint.quietly():
            base.save_pretrained(unfinished, safe_serialization=True)
        checkpoint.swap(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
