"""Alpha as a small offset on the latent (Zhang and Agrawala 2024, *Transparent Image Layer Diffusion*, section 3.1).

A named alternative to the canvas colour: the RGB target keeps its extended colours, and what is transparent is told by
an offset that stays within the autoencoder's own posterior spread, so the frozen RGB decoder hardly notices.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn


class LatentOffsetEncoder(ModelMixin, ConfigMixin):
    """Offsets ``[B, C, h, w]``, in standard deviations of the posterior, from alpha and extended colours.

    ``widths`` are the channels at full size and after each halving; there is one halving fewer than widths.
    The last convolution starts at zero. ``gain`` is the paper's 300: SD posteriors are very narrow.
    """

    @register_to_config
    def __init__(
        self, latent_channels: int = 16, widths: tuple[int, ...] = (32, 64, 128, 256), gain: float = 300.0
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(4, widths[0], 3, padding=1), nn.SiLU()]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, before, 3, padding=1), nn.SiLU()]
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.SiLU()]
        last = nn.Conv2d(widths[-1], latent_channels, 1)
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*layers, last)

    def forward(self, alpha_b1hw: Tensor, rgb_b3hw: Tensor) -> Tensor:
        """``alpha`` in 0..1, ``rgb`` extended colours in -1..1."""
        offsets: Tensor = self.layers(torch.cat([2 * alpha_b1hw - 1, rgb_b3hw], dim=1)) * self.config.gain
        return offsets
