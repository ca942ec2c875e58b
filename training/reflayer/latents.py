"""Pictures to latents and back, always through the autoencoder's own shift and scale.

Source, canvas and target get the *same* shift and scale (Esser et al. 2024, SD3), read from the autoencoder's
configuration. Conditions on another scale than the noisy latent are the known fault of public code for this layout.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def shift_and_scale(vae: Any) -> tuple[float, float]:
    """``(shift, scale)`` of an ``AutoencoderKL``; one without a shift has 0."""
    return float(vae.config.shift_factor or 0.0), float(vae.config.scaling_factor)


def encode(vae: Any, pictures_b3hw: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the posterior, ``[B, C, h, w]`` each, shifted and scaled; no gradient."""
    shift, scale = shift_and_scale(vae)
    with torch.no_grad():
        posterior = vae.encode(pictures_b3hw.to(vae.dtype)).latent_dist
    return (posterior.mean - shift) * scale, posterior.std * scale


def decode(vae: Any, latents_bchw: Tensor) -> Tensor:
    """Pictures ``[B, 3, H, W]``, about -1..1, of shifted and scaled latents."""
    shift, scale = shift_and_scale(vae)
    pictures: Tensor = vae.decode((latents_bchw / scale + shift).to(vae.dtype)).sample
    return pictures


def times_smaller(vae: Any) -> int:
    """How many pixels a latent cell is wide: 8 for SD3."""
    return int(2 ** (len(vae.config.block_out_channels) - 1))
