"""LPIPS (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric").

The networks are the lpips package's; only its last step is taken apart here, so that the mean over the picture and
the map over the pixels come from one pass, and one side can be compared with several others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch.nn import functional

from evaluation.features.identity import Identity, weights_sha256

Levels = list[torch.Tensor]
"""One ``[B,C,h,w]`` per level of the trunk, each pixel of unit length over its channels."""
SMALLEST_PX = 64
"""AlexNet's poolings leave nothing to compare much below this."""


class PerceptualDistance(Protocol):
    """How different two pictures look, ``[B,3,H,W]`` float32, 0..1; 0 for equal ones."""

    identity: Identity

    def levels(self, pictures_b3hw: torch.Tensor) -> Levels: ...

    def differences(self, a: Levels, b: Levels) -> list[torch.Tensor]:
        """One ``[B,1,h,w]`` per level: what each of its pixels adds."""
        ...


class Perceptual:
    """Distances by an ``lpips.LPIPS`` network. Pictures are ``[B,3,H,W]`` float32, 0..1."""

    def __init__(self, network: Any, name: str, published: bool, device: str = "cpu") -> None:
        self._network = network.to(device).eval()
        self._device = device
        self.identity = Identity(name, weights_sha256(network), published, "0..1 mapped to -1..1, size of the picture")

    @torch.inference_mode()
    def levels(self, pictures_b3hw: torch.Tensor) -> Levels:
        pictures = pictures_b3hw.to(self._device, torch.float32) * 2 - 1
        outputs = self._network.net(self._network.scaling_layer(pictures))
        # The package's own normalisation: divided by the length, with 1e-10 against dark pixels.
        return [level / (level.square().sum(dim=1, keepdim=True).sqrt() + 1e-10) for level in outputs]

    @torch.inference_mode()
    def differences(self, a: Levels, b: Levels) -> list[torch.Tensor]:
        """One ``[B,1,h,w]`` per level: what each of its pixels adds."""
        heads = self._network.lins
        return [head((x - y).square()) for head, x, y in zip(heads, a, b, strict=True)]


def score(differences: Sequence[torch.Tensor]) -> torch.Tensor:
    """``[B]``: LPIPS as published, the sum over levels of the mean over pixels."""
    return torch.stack([level.mean(dim=(1, 2, 3)) for level in differences]).sum(dim=0)


def spatial_map(differences: Sequence[torch.Tensor], height: int, width: int) -> torch.Tensor:
    """``[B,height,width]``: the sum over levels, each enlarged bilinearly (``spatial=True`` in the package)."""
    enlarged = [functional.interpolate(level, (height, width), mode="bilinear") for level in differences]
    return torch.stack(enlarged).sum(dim=0)[:, 0]
