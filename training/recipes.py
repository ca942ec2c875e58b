"""Named training runs as functions. Their torch-side types are imported inside, so listing names costs nothing.

A run writes its whole configuration beside its results: a later change here never changes what an old run was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.reflayer.config import TrainConfig


class UnknownRecipe(LookupError):
    code = "unknown_recipe"


def tiny_cpu() -> TrainConfig:
    """A network of SD3's shape from nothing, at 128 px on composites: for two CPU cores, tests and ablations."""
    from training.reflayer.buckets import BucketConfig
    from training.reflayer.config import DataConfig, StageConfig, TrainConfig
    from training.reflayer.optimisation import OptimiserConfig
    from training.reflayer.validation import ValidationConfig

    quick = OptimiserConfig(lr=8e-4, warmup_steps=100)
    return TrainConfig(
        name="reflayer-tiny-sd3",
        data=DataConfig(composites=4000, composite_px=128),
        buckets=BucketConfig(resolution=128, step_px=16, max_aspect=2.0),
        offset_gain=1.0,
        with_t5=False,
        stages=(
            StageConfig("A", steps=1500, batch_size=16, optimiser=quick, ema_decay=0.997),
            StageConfig("B", steps=6000, batch_size=16, optimiser=quick, ema_decay=0.999),
            StageConfig("C", steps=500, batch_size=16, optimiser=quick, ema_decay=0.997, sampling_steps=8),
        ),
        validation=ValidationConfig(sampling_steps=8),
    )


def lora_sd3() -> TrainConfig:
    """Adapters of rank 64 and the injection on a given SD3-medium or SD3.5-medium, 512 px: one 24 GB card."""
    from training.reflayer.config import StageConfig, TrainConfig
    from training.reflayer.lora import LoRAConfig
    from training.reflayer.optimisation import OptimiserConfig

    return TrainConfig(
        name="reflayer-sd3-lora",
        lora=LoRAConfig(rank=64),
        precision="bfloat16",
        gradient_checkpointing=True,
        stages=(
            StageConfig(
                "A", steps=20_000, batch_size=4, accumulate=2, optimiser=OptimiserConfig(1e-4, warmup_steps=500)
            ),
            StageConfig(
                "B", steps=20_000, batch_size=4, accumulate=4, optimiser=OptimiserConfig(1e-4, warmup_steps=500)
            ),
            StageConfig(
                "C", steps=10_000, batch_size=4, accumulate=2, optimiser=OptimiserConfig(5e-5, warmup_steps=500)
            ),
        ),
    )


def full_sd3() -> TrainConfig:
    """All of a given SD3-medium or SD3.5-medium, 512 px: one 141 GB card, or several 80 GB ones by accelerate."""
    from training.reflayer.config import StageConfig, TrainConfig
    from training.reflayer.optimisation import OptimiserConfig

    return TrainConfig(
        name="reflayer-sd3",
        precision="bfloat16",
        gradient_checkpointing=True,
        stages=(
            StageConfig("A", steps=30_000, batch_size=32, optimiser=OptimiserConfig(1e-4, warmup_steps=500)),
            StageConfig(
                "B", steps=80_000, batch_size=16, accumulate=4, optimiser=OptimiserConfig(2e-5, warmup_steps=500)
            ),
            StageConfig("C", steps=10_000, batch_size=32, optimiser=OptimiserConfig(5e-5, warmup_steps=500)),
        ),
    )


RECIPES: dict[str, Callable[[], TrainConfig]] = {"tiny_cpu": tiny_cpu, "lora_sd3": lora_sd3, "full_sd3": full_sd3}
"""``lora_sd3`` and ``full_sd3`` need ``base``: the folder of an SD3-format checkpoint."""


def find(name: str) -> TrainConfig:
    """Raises ``UnknownRecipe`` that lists what exists."""
    if name not in RECIPES:
        raise UnknownRecipe(f"unknown recipe '{name}'; have: {', '.join(RECIPES)}")
    return RECIPES[name]()
