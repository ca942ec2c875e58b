"""The features of the shipped ``reflayer-tiny`` as an offline stand-in: a learned network that needs no download.

It has seen drawn objects and photographs, but it was trained to cut layers out, not to describe pictures; and a
checkpoint that starts from it is measured with its ancestor's eyes. So it is a variant of its own.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from evaluation.features.identity import Identity, weights_sha256
from training.reflayer.tiny.checkpoint import load_network
from training.reflayer.tiny.pipeline import SHIPPED
from training.reflayer.tiny.prompt_features import FIRST_LOOK

SIDE_PX = 128


class TinyEncoder:
    """``[B,3,128,128]`` float 0..255 to ``[B, D * grid * grid]`` float32.

    Means of three levels of the mask network over a grid of cells, the prompt's maps empty but for "background"; every
    level divided by its own root of dimensions, so that none drowns the others.
    """

    side_px = SIDE_PX

    def __init__(self, grid: int, device: str = "cpu") -> None:
        self.grid, self._device = grid, device
        self._network = load_network(SHIPPED).to(device).eval().requires_grad_(False)
        self.identity = Identity(
            f"reflayer-tiny-grid{grid}",
            weights_sha256(self._network),
            published=False,
            input=f"{SIDE_PX} px square, antialiased bicubic without rounding, no prompt",
        )

    @torch.inference_mode()
    def __call__(self, pictures_b3hw: torch.Tensor) -> torch.Tensor:
        pictures = pictures_b3hw.to(self._device, torch.float32) / 127.5 - 1
        network = self._network
        maps = pictures.new_zeros(len(pictures), network.config.channels, SIDE_PX, SIDE_PX)
        maps[:, :3] = pictures
        maps[:, FIRST_LOOK.index("background")] = 1
        half = network.at_half(network.stem(functional.pixel_unshuffle(maps, 2)))
        quarter = network.at_quarter(network.to_quarter(half))
        eighth = network.at_eighth(network.to_eighth(quarter))
        sixteenth = network.at_sixteenth(network.to_sixteenth(eighth))
        cells = [functional.adaptive_avg_pool2d(level, self.grid).flatten(1) for level in (quarter, eighth, sixteenth)]
        return torch.cat([level / level.shape[1] ** 0.5 for level in cells], dim=1)
