"""From noise to latents: Euler steps along the guided velocity."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from training.reflayer.guidance import Conditions, Guidance, guided_velocity
from training.reflayer.network import RefLayerNetwork


@torch.no_grad()
def sample_latents(
    network: RefLayerNetwork,
    scheduler: FlowMatchEulerDiscreteScheduler,
    given: Conditions,
    noise_bchw: Tensor,
    steps: int,
    guidance: Guidance,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Latents of the shape of ``noise``, shifted and scaled, float32. The scheduler given is left as it is.

    ``on_step`` is called with the number of the finished step; what it raises ends the sampling (to cancel).
    """
    own = type(scheduler).from_config(scheduler.config)
    own.set_timesteps(steps, device=noise_bchw.device)
    latents = noise_bchw.float()
    dtype = given.source.dtype
    for number, timestep in enumerate(own.timesteps):
        velocity = guided_velocity(network, latents.to(dtype), timestep, given, guidance)
        latents = own.step(velocity.float(), timestep, latents, return_dict=False)[0]
        if on_step is not None:
            on_step(number + 1)
    return latents
