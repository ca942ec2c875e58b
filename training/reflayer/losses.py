"""Losses of the alpha decoder: what matting networks use, with the undecided band weighted up.

Terms as in Hou and Liu 2019 (Laplacian pyramid), Xu et al. 2017 (composition); weights are ours, unmeasured defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class AlphaLossConfig:
    l1: float = 1.0
    bce: float = 0.5
    laplacian: float = 1.0
    gradient: float = 0.5
    composition: float = 0.5
    visible: float = 1.0
    band_weight: float = 3.0
    """Weight of soft pixels and their neighbours against 1 elsewhere."""
    band_px: int = 7


def alpha_terms(
    logits_b2hw: Tensor,
    alpha_b1hw: Tensor,
    visible_b1hw: Tensor,
    rgb_b3hw: Tensor,
    generator: torch.Generator,
    config: AlphaLossConfig,
) -> dict[str, Tensor]:
    """Weighted terms, float32, whose sum is the loss. ``rgb`` are the layer's true colours in -1..1."""
    logits = logits_b2hw.float()
    logit, visible_logit = logits[:, :1], logits[:, 1:]
    alpha = torch.sigmoid(logit)
    weights = _band_weights(alpha_b1hw, config)
    difference = alpha - alpha_b1hw
    grey = torch.rand(2, len(alpha), 3, generator=generator).to(alpha.device)[..., None, None] * 2 - 1
    composed = sum((difference * (rgb_b3hw - colour)).abs().mean() for colour in grey) / len(grey)
    return {
        "l1": config.l1 * (weights * difference.abs()).mean(),
        "bce": config.bce * F.binary_cross_entropy_with_logits(logit, alpha_b1hw, weights),
        "laplacian": config.laplacian * laplacian_l1(alpha, alpha_b1hw),
        "gradient": config.gradient * (_sobel(alpha) - _sobel(alpha_b1hw)).abs().mean(),
        "composition": config.composition * torch.as_tensor(composed),
        "visible": config.visible * F.binary_cross_entropy_with_logits(visible_logit, visible_b1hw),
    }


def _band_weights(alpha_b1hw: Tensor, config: AlphaLossConfig) -> Tensor:
    margin = config.band_px // 2
    highest = F.max_pool2d(alpha_b1hw, config.band_px, 1, margin)
    lowest = -F.max_pool2d(-alpha_b1hw, config.band_px, 1, margin)
    return torch.where(highest - lowest > 0.02, config.band_weight, 1.0)


def _kernel(rows: list[list[float]], like: Tensor) -> Tensor:
    return torch.tensor(rows, dtype=like.dtype, device=like.device)[None, None]


def _sobel(matte_b1hw: Tensor) -> Tensor:
    across = _kernel([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], matte_b1hw) / 8
    padded = F.pad(matte_b1hw, (1, 1, 1, 1), mode="replicate")
    return torch.cat([F.conv2d(padded, across), F.conv2d(padded, across.transpose(2, 3))], dim=1)


def laplacian_l1(a_b1hw: Tensor, b_b1hw: Tensor, levels: int = 5) -> Tensor:
    """L1 over a Laplacian pyramid of the difference, level l weighted 2^l; fewer levels for small pictures.

    Linear, so the pyramid of the difference is the difference of the pyramids.
    """
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=a_b1hw.dtype, device=a_b1hw.device) / 16
    blur = (taps[:, None] * taps[None, :])[None, None]
    rest = a_b1hw - b_b1hw
    total = rest.new_zeros(())
    for level in range(levels):
        if min(rest.shape[-2:]) < 4:
            break
        low = F.conv2d(F.pad(rest, (2, 2, 2, 2), mode="replicate"), blur)
        total = total + 2**level * (rest - low).abs().mean()
        rest = low[..., ::2, ::2]
    return total + rest.abs().mean()
