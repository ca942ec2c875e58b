"""Rectified flow with logit-normal times (Esser et al. 2024, SD3, section 3.1) and region weights.

``z_t = (1 - sigma) z_0 + sigma noise``, target velocity ``noise - z_0``, plain mean squared error in float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.training_utils import compute_density_for_timestep_sampling
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class FlowConfig:
    logit_mean: float = 0.0
    logit_std: float = 1.0
    uniform_share: float = 0.0
    """This share of times is drawn evenly instead: more mass at high noise, where the layout is decided."""
    hidden_weight: float = 1.0
    """Added to the weight of hidden pixels, which are few and the point of the exercise."""
    edge_weight: float = 0.5


class RectifiedFlow:
    """Noise levels and targets for training, from the scheduler's own table, so that sampling sees the same levels."""

    def __init__(self, scheduler: FlowMatchEulerDiscreteScheduler, config: FlowConfig | None = None) -> None:
        self.config = config or FlowConfig()
        untouched = type(scheduler).from_config(scheduler.config)  # set_timesteps() overwrites a scheduler's table
        self.timesteps: Tensor = untouched.timesteps.clone()
        self.sigmas: Tensor = untouched.sigmas[: len(self.timesteps)].clone()

    def draw_indices(self, count: int, generator: torch.Generator) -> Tensor:
        """``[count]`` places in the table, which descends from pure noise; drawn on the generator's device."""
        u = compute_density_for_timestep_sampling(
            "logit_normal", count, self.config.logit_mean, self.config.logit_std, generator=generator
        )
        if self.config.uniform_share:
            even = torch.rand(count, generator=generator)
            u = torch.where(torch.rand(count, generator=generator) < self.config.uniform_share, even, u)
        return (u * len(self.timesteps)).long().clamp(max=len(self.timesteps) - 1)

    def mix(self, clean_bchw: Tensor, noise_bchw: Tensor, indices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(noisy, timesteps, target velocity)`` at the given places of the table."""
        sigma = self.sigmas[indices].to(clean_bchw.device)[:, None, None, None]
        noisy = (1 - sigma) * clean_bchw + sigma * noise_bchw
        return noisy, self.timesteps[indices].to(clean_bchw.device), noise_bchw - clean_bchw


def velocity_loss(velocity: Tensor, target: Tensor, weights_b1hw: Tensor) -> Tensor:
    """Weighted mean squared error over latents ``[B, C, h, w]``, one number, float32."""
    return (weights_b1hw.float() * (velocity.float() - target.float()) ** 2).mean()


def region_weights(alpha_b1hw: Tensor, visible_b1hw: Tensor, times_smaller: int, config: FlowConfig) -> Tensor:
    """Weights ``[B, 1, h, w]`` at latent size with mean 1 per sample.

    Never 0 outside the layer: the plain canvas there has to be learned too.
    """
    hidden = ((alpha_b1hw > 0.5) & (visible_b1hw < 0.5)).float()
    spread = F.max_pool2d(alpha_b1hw, 5, 1, 2) + F.max_pool2d(-alpha_b1hw, 5, 1, 2)
    weights = 1 + config.hidden_weight * hidden + config.edge_weight * (spread > 0.5).float()
    small = F.avg_pool2d(weights, times_smaller)
    return small / small.mean(dim=(1, 2, 3), keepdim=True)
