"""A network of SD3's shape that trains in seconds, and configurations around it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from training.reflayer.buckets import BucketConfig
from training.reflayer.build import Data
from training.reflayer.config import DataConfig, StageConfig, TrainConfig
from training.reflayer.examples import CompositeExamples
from training.reflayer.injector import InjectorConfig
from training.reflayer.loading import from_base
from training.reflayer.optimisation import OptimiserConfig
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.scratch import ScratchConfig, scratch_sd3
from training.reflayer.validation import ValidationConfig

SIZE_PX = 64
SCRATCH = ScratchConfig(heads=2, head_dim=16, blocks=2, vae_widths=(8, 16, 16, 16), text_dim=16, vae_steps=1)
QUICK = OptimiserConfig(lr=1e-3, schedule="constant")


def config(*stages: StageConfig, **changes: Any) -> TrainConfig:
    """One stage B of four steps unless stages are given."""
    made = TrainConfig(
        name="test",
        stages=stages or (StageConfig("B", steps=4, batch_size=2, optimiser=QUICK, save_every=2, log_every=1),),
        scratch=SCRATCH,
        data=DataConfig(composites=6, held_out_composites=2, composite_px=SIZE_PX),
        buckets=BucketConfig(resolution=SIZE_PX, step_px=16),
        with_t5=False,
        offset_gain=1.0,
        validation=ValidationConfig(examples=1, sampling_steps=1, grid_rows=1),
    )
    return replace(made, **changes)


@cache
def data() -> Data:
    return Data(CompositeExamples(6, 0, SIZE_PX), CompositeExamples(2, 900, SIZE_PX), "composites")


def pipeline(
    injection: Any = "expand_embed",
    transparency: Any = "canvas_colour",
    seed: int = 0,
    scratch: ScratchConfig = SCRATCH,
) -> RefLayerPipeline:
    """With random weights, at step 0."""
    base = scratch_sd3(scratch, seed)
    made_of = config()
    return from_base(
        base, InjectorConfig(injection), made_of.alpha_decoder, transparency, made_of.canvas_colour, SIZE_PX, 1.0
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a checkpoint folder, by part and name."""
    from safetensors.torch import load_file

    return {
        f"{file.parent.name}.{name}": tensor
        for file in sorted(folder.glob("*/*.safetensors"))
        for name, tensor in load_file(file).items()
    }
