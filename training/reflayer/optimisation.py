"""AdamW, its learning rate as a function of the step, and one guarded step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn


class TrainingDiverged(RuntimeError):
    """Loss or gradients were not finite too often in a row; the last good state is on disk."""

    code = "training_diverged"


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    lr: float = 1e-5
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup_steps: int = 0
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    max_grad_norm: float = 1.0
    max_bad_steps: int = 10
    """So many steps in a row may be skipped for numbers that are not finite."""


def learning_rate(step: int, steps: int, config: OptimiserConfig) -> float:
    """Of step 0 .. ``steps - 1``: linear warm-up, then constant or a half cosine to zero."""
    if step < config.warmup_steps:
        return config.lr * (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return config.lr
    done = (step - config.warmup_steps) / max(1, steps - config.warmup_steps)
    return config.lr * 0.5 * (1 + math.cos(math.pi * done))


def make_optimiser(parameters: Iterable[nn.Parameter], config: OptimiserConfig) -> torch.optim.AdamW:
    listed = list(parameters)
    on_gpu = bool(listed) and listed[0].is_cuda
    return torch.optim.AdamW(
        listed,
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        weight_decay=config.weight_decay,
        fused=True if on_gpu else None,
    )


class GuardedStep:
    """Steps the optimiser only when the gradients are finite; counts what it skipped."""

    def __init__(self, optimiser: torch.optim.AdamW, config: OptimiserConfig) -> None:
        self.optimiser, self.config = optimiser, config
        self._parameters = [p for group in optimiser.param_groups for p in group["params"]]
        self.skipped = 0
        self._in_a_row = 0

    def __call__(self, lr: float) -> float:
        """Clip, step, clear; returns the gradient norm before clipping. Raises ``TrainingDiverged``."""
        norm = float(nn.utils.clip_grad_norm_(self._parameters, self.config.max_grad_norm))
        if math.isfinite(norm):
            for group in self.optimiser.param_groups:
                group["lr"] = lr
            self.optimiser.step()
            self._in_a_row = 0
        else:
            self.skipped += 1
            self._in_a_row += 1
        self.optimiser.zero_grad(set_to_none=True)
        if self._in_a_row >= self.config.max_bad_steps:
            raise TrainingDiverged(f"gradients were not finite for {self._in_a_row} steps in a row")
        return norm
