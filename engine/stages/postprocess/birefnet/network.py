"""BiRefNet (Zheng et al. 2024, *Bilateral Reference for High-Resolution Dichotomous Image Segmentation*).

Written anew for inference, so that no code comes with the weights. The parts bear the names of the published
checkpoints (backbone Swin v1, the configuration of the releases), and one with other names or shapes is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.stages.postprocess.birefnet.deformable import DeformableConv
from engine.stages.postprocess.birefnet.swin import Swin

MULTIPLE = 32
"""Sides of a picture must be multiples of it."""
_INNER, _PYRAMID, _GRADIENT = 64, 256, 16
_KERNELS = (1, 3, 7)


class BiRefNet(nn.Module):
    """``[B,3,H,W]``, ImageNet's mean and deviation, to logits ``[B,1,H,W]`` of what stands out."""

    def __init__(self, backbone: Swin, width: int, levels: int = 4) -> None:
        super().__init__()
        self.bb = backbone
        channels = [2 * (width << level) for level in reversed(range(levels))]
        self.squeeze_module = nn.Sequential(_Block(sum(channels), channels[0]))
        self.decoder = _Decoder(channels)

    def forward(self, picture: Tensor) -> Tensor:
        size = [side // 2 for side in picture.shape[2:]]
        half = functional.interpolate(picture, size=size, mode="bilinear", align_corners=True)
        maps = [
            torch.cat([large, _sized(small, large)], dim=1)
            for large, small in zip(self.bb(picture), self.bb(half), strict=True)
        ]
        deepest = torch.cat([*(_sized(one, maps[-1]) for one in maps[:-1]), maps[-1]], dim=1)
        out: Tensor = self.decoder(picture, [*maps[:-1], self.squeeze_module(deepest)])
        return out


class _Decoder(nn.Module):
    """From the deepest map up; at each step the picture itself comes in again, cut into patches (inward reference),
    and attention to where gradients are (outward reference)."""

    def __init__(self, channels: Sequence[int]) -> None:
        """``channels`` from deep to shallow."""
        super().__init__()
        seen = [channels[0] // 8, *(c // 8 for c in channels)]
        patches = [3 * 4**level for level in (5, 4, 3, 2, 0)]
        out = [*channels[1:], channels[-1] // 2]
        for place, level in enumerate((5, 4, 3, 2, 1)):
            self.add_module(f"ipt_blk{level}", _Patches(patches[place], seen[place]))
        for place, level in enumerate((4, 3, 2, 1)):
            self.add_module(f"decoder_block{level}", _Block(channels[place] + seen[place], out[place]))
        for place, level in enumerate((4, 3, 2)):
            self.add_module(f"lateral_block{level}", _Lateral(channels[place + 1], out[place]))
            self.add_module(f"conv_ms_spvn_{level}", nn.Conv2d(out[place], 1, 1))
            edges = [nn.Conv2d(out[place], _GRADIENT, 3, padding=1), nn.BatchNorm2d(_GRADIENT), nn.ReLU()]
            self.add_module(f"gdt_convs_{level}", nn.Sequential(*edges))
            self.add_module(f"gdt_convs_pred_{level}", nn.Sequential(nn.Conv2d(_GRADIENT, 1, 1)))
            self.add_module(f"gdt_convs_attn_{level}", nn.Sequential(nn.Conv2d(_GRADIENT, 1, 1)))
        self.conv_out1 = nn.Sequential(nn.Conv2d(out[3] + seen[4], 1, 1))

    def forward(self, picture: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """``maps`` from shallow to deep."""
        part = self.get_submodule
        features = torch.cat([maps[3], part("ipt_blk5")(picture, maps[3])], dim=1)
        for level in (4, 3, 2):
            found = part(f"decoder_block{level}")(features)
            found = found * torch.sigmoid(part(f"gdt_convs_attn_{level}")(part(f"gdt_convs_{level}")(found)))
            beside = maps[level - 2]
            features = _sized(found, beside) + part(f"lateral_block{level}")(beside)
            features = torch.cat([features, part(f"ipt_blk{level}")(picture, beside)], dim=1)
        features = _sized(part("decoder_block1")(features), picture)
        out: Tensor = self.conv_out1(torch.cat([features, part("ipt_blk1")(picture, picture)], dim=1))
        return out


class _Block(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(channels, _INNER, 3, padding=1)
        self.bn_in = nn.BatchNorm2d(_INNER)
        self.dec_att = _DeformablePyramid()
        self.conv_out = nn.Conv2d(_INNER, out, 3, padding=1)
        self.bn_out = nn.BatchNorm2d(out)

    def forward(self, features: Tensor) -> Tensor:
        inner = self.dec_att(functional.relu(self.bn_in(self.conv_in(features))))
        out: Tensor = self.bn_out(self.conv_out(inner))
        return out


class _DeformablePyramid(nn.Module):
    """Atrous pyramid pooling whose branches are deformable convolutions of growing size."""

    def __init__(self) -> None:
        super().__init__()
        self.aspp1 = _Branch(1)
        self.aspp_deforms = nn.ModuleList(_Branch(kernel) for kernel in _KERNELS)
        pooled = nn.Conv2d(_INNER, _PYRAMID, 1, bias=False)
        self.global_avg_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), pooled, nn.BatchNorm2d(_PYRAMID), nn.ReLU())
        self.conv1 = nn.Conv2d((2 + len(_KERNELS)) * _PYRAMID, _INNER, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(_INNER)

    def forward(self, features: Tensor) -> Tensor:
        branches = [self.aspp1(features), *(branch(features) for branch in self.aspp_deforms)]
        branches.append(self.global_avg_pool(features).expand(-1, -1, *features.shape[2:]))
        return functional.relu(self.bn1(self.conv1(torch.cat(branches, dim=1))))


class _Branch(nn.Module):
    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.atrous_conv = DeformableConv(_INNER, _PYRAMID, kernel)
        self.bn = nn.BatchNorm2d(_PYRAMID)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.bn(self.atrous_conv(features)))


class _Lateral(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 1)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.conv(features)
        return out


class _Patches(nn.Module):
    """The picture cut into as many parts as it is larger than a map, laid on each other as channels."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, _INNER, 3, padding=1)
        self.conv_out = nn.Conv2d(_INNER, out, 3, padding=1)

    def forward(self, picture: Tensor, beside: Tensor) -> Tensor:
        count, channels, height, width = picture.shape
        rows, columns = height // beside.shape[2], width // beside.shape[3]
        parts = picture.view(count, channels, rows, height // rows, columns, width // columns)
        laid = parts.permute(0, 1, 2, 4, 3, 5).reshape(count, channels * rows * columns, *beside.shape[2:])
        out: Tensor = self.conv_out(self.conv1(laid))
        return out


def _sized(features: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(features, size=like.shape[2:], mode="bilinear", align_corners=True)


def build(state: Mapping[str, Tensor]) -> BiRefNet:
    """The network of a checkpoint, its sizes read from the tensors' shapes, loaded.

    Raises ``RuntimeError`` that lists what does not fit: another backbone, another configuration.
    """
    width = _shape(state, "bb.patch_embed.proj.weight")[0]
    depths: list[int] = []
    heads: list[int] = []
    while (block := f"bb.layers.{len(depths)}.blocks.0.attn.relative_position_bias_table") in state:
        blocks = {name.split(".")[4] for name in state if name.startswith(f"bb.layers.{len(depths)}.blocks.")}
        rows, here = state[block].shape
        depths.append(len(blocks))
        heads.append(here)
    if not depths:
        raise RuntimeError("no BiRefNet with a Swin v1 backbone: there is no bb.layers.0.blocks.0")
    network = BiRefNet(Swin(width, depths, heads, (round(rows**0.5) + 1) // 2), width, len(depths))
    network.load_state_dict(state)
    return network


def _shape(state: Mapping[str, Tensor], name: str) -> torch.Size:
    if name not in state:
        raise RuntimeError(f"no BiRefNet with a Swin v1 backbone: there is no {name}")
    return state[name].shape
