"""Deformable convolution with modulation (Zhu et al. 2019, *Deformable ConvNets v2*) in plain PyTorch.

torchvision has a kernel for it, but not in every build that has torchvision; this runs wherever PyTorch does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class DeformableConv(nn.Module):
    """``[B,C,H,W]`` to ``[B,out,H,W]``: each tap of the kernel reads where, and counts as much as, the input says."""

    def __init__(self, channels: int, out: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.offset_conv = nn.Conv2d(channels, 2 * kernel**2, kernel, padding=kernel // 2)
        self.modulator_conv = nn.Conv2d(channels, kernel**2, kernel, padding=kernel // 2)
        self.regular_conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        weights = 2 * torch.sigmoid(self.modulator_conv(features))
        return deformed(features, self.offset_conv(features), weights, self.regular_conv.weight)


def deformed(features: Tensor, offsets: Tensor, weights: Tensor, kernel: Tensor) -> Tensor:
    """Stride 1, size kept. ``offsets`` ``[B,2kk,H,W]`` px, (y, x) of each tap in turn; ``weights`` ``[B,kk,H,W]``.

    Between pixels it reads bilinearly, outside the map zeros. Tap by tap, so that memory holds one of them.
    """
    count, _, height, width = features.shape
    taps = kernel.shape[-1]
    ys = torch.arange(height, device=features.device, dtype=torch.float32)[:, None]
    xs = torch.arange(width, device=features.device, dtype=torch.float32)[None]
    out = features.new_zeros(count, kernel.shape[0], height, width)
    for tap in range(taps**2):
        row, column = tap // taps - taps // 2, tap % taps - taps // 2
        y, x = ys + row + offsets[:, 2 * tap].float(), xs + column + offsets[:, 2 * tap + 1].float()
        place = torch.stack([_share(x, width), _share(y, height)], dim=-1)
        # In float32: bfloat16 cannot tell the pixels of a large map apart.
        read = functional.grid_sample(features.float(), place, "bilinear", "zeros", align_corners=False)
        read = read.to(features.dtype) * weights[:, tap : tap + 1]
        out = out + functional.conv2d(read, kernel[:, :, tap // taps, tap % taps, None, None])
    return out


def _share(pixels: Tensor, side: int) -> Tensor:
    """Pixel centres to -1..1 from edge to edge."""
    return (2 * pixels + 1) / side - 1
