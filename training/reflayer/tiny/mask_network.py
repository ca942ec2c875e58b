"""The mask network of reflayer-tiny: alpha and visible share from a picture and the closed-form maps of a prompt.

A U-Net (Ronneberger et al. 2015) at half resolution with self-attention at its two coarsest levels, and a thin head at
full resolution. The same weights look twice: the second time they also see their first answer and its convex hull,
as interactive segmentation does with the mask of the click before (Sofiiuk et al. 2022, RITM). With a trunk it also
sees, at every resolution, what a network trained on ImageNet sees, and how alike that is to what is pointed at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import functional

from training.reflayer.tiny.likeness import MAPS, likeness, places
from training.reflayer.tiny.prompt_features import CHANNELS, FIRST_LOOK, SECOND_LOOK
from training.reflayer.tiny.trunk import WIDTHS, Trunk

Features = list[torch.Tensor]


@dataclass(frozen=True, slots=True)
class MaskNetworkConfig:
    """``widths`` are channels at a half, a quarter, an eighth and a sixteenth of the core's side.

    ``has_trunk``: EfficientNet-Lite0 looks at the picture, too, at twice the core's size; its weights are not trained.
    """

    widths: tuple[int, int, int, int] = (32, 64, 128, 160)
    heads: int = 4
    head_width: int = 16
    side_px: int = 128
    channels: int = CHANNELS
    has_trunk: bool = False


class _Block(nn.Module):
    """Two convolutions with a shortcut (He et al. 2016, pre-activation)."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, wide_in), nn.GroupNorm(8, wide_out)
        self.conv1 = nn.Conv2d(wide_in, wide_out, 3, padding=1)
        self.conv2 = nn.Conv2d(wide_out, wide_out, 3, padding=1)
        self.shortcut = nn.Identity() if wide_in == wide_out else nn.Conv2d(wide_in, wide_out, 1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.conv1(functional.silu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(functional.silu(self.norm2(inner)))


class _Attention(nn.Module):
    """Every place asks every other; starts as the identity."""

    def __init__(self, wide: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, wide)
        self.ask = nn.Conv2d(wide, 3 * wide, 1)
        self.answer = nn.Conv2d(wide, wide, 1)
        nn.init.zeros_(self.answer.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, wide, height, width = x.shape
        asked = self.ask(self.norm(x)).reshape(batch, 3, self.heads, wide // self.heads, height * width)
        query, key, value = asked.transpose(-1, -2).unbind(1)
        told = functional.scaled_dot_product_attention(query, key, value)
        return x + self.answer(told.transpose(-1, -2).reshape(batch, wide, height, width))


class _Told(nn.Module):
    """What the trunk sees at one resolution, as channels to add there; starts by adding nothing."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(wide_in + MAPS, wide_out, 1)
        self.add = nn.Conv2d(wide_out, wide_out, 1)
        for parameter in self.add.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        seen = torch.cat([features, likeness(features, where).to(features.dtype)], 1)
        told: torch.Tensor = self.add(functional.silu(self.mix(seen)))
        return told


class MaskNetwork(nn.Module):
    """``[B,CHANNELS,S,S]`` maps to ``[B,2,S,S]`` logits of alpha and visible share; S a multiple of 16."""

    def __init__(self, config: MaskNetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or MaskNetworkConfig()
        a, b, c, d = self.config.widths
        heads = self.config.heads
        self.stem = nn.Conv2d(4 * self.config.channels, a, 3, padding=1)
        self.at_half = _Block(a, a)
        self.to_quarter = nn.Conv2d(a, b, 3, stride=2, padding=1)
        self.at_quarter = nn.Sequential(_Block(b, b), _Block(b, b))
        self.to_eighth = nn.Conv2d(b, c, 3, stride=2, padding=1)
        self.at_eighth = nn.Sequential(_Block(c, c), _Attention(c, heads), _Block(c, c))
        self.to_sixteenth = nn.Conv2d(c, d, 3, stride=2, padding=1)
        self.at_sixteenth = nn.Sequential(_Block(d, d), _Attention(d, heads), _Block(d, d))
        self.up_eighth = _Block(c + d, c)
        self.up_quarter = _Block(b + c, b)
        self.up_half = _Block(a + b, a)
        wide = self.config.head_width
        self.to_full = nn.Conv2d(a, 4 * wide, 1)
        self.detail = nn.Conv2d(self.config.channels, wide, 3, padding=1)
        self.head = nn.Conv2d(wide, 2, 3, padding=1)
        if self.config.has_trunk:
            self.trunk = Trunk()
            self.told = nn.ModuleList(_Told(seen, own) for seen, own in zip(WIDTHS, (wide, a, b, c, d), strict=True))

    def seen(self, maps: torch.Tensor) -> Features | None:
        """What the trunk sees of the picture in the maps: the same in both looks, so it need be asked only once."""
        if not self.config.has_trunk:
            return None
        picture = functional.interpolate(maps[:, :3], scale_factor=2.0, mode="bilinear", align_corners=False)
        features: Features = self.trunk(picture)
        return features

    def forward(self, maps: torch.Tensor, seen: Features | None = None) -> torch.Tensor:
        def twice(x: torch.Tensor) -> torch.Tensor:
            return functional.interpolate(x, scale_factor=2.0, mode="nearest")

        seen = self.seen(maps) if seen is None else seen
        where = None if seen is None else places(maps)

        def told(level: int, own: torch.Tensor) -> torch.Tensor:
            return own if seen is None else own + self.told[level](seen[level], where)

        half = self.at_half(told(1, self.stem(functional.pixel_unshuffle(maps, 2))))
        quarter = self.at_quarter(told(2, self.to_quarter(half)))
        eighth = self.at_eighth(told(3, self.to_eighth(quarter)))
        sixteenth = self.at_sixteenth(told(4, self.to_sixteenth(eighth)))
        up = self.up_eighth(torch.cat([eighth, twice(sixteenth)], 1))
        up = self.up_quarter(torch.cat([quarter, twice(up)], 1))
        up = self.up_half(torch.cat([half, twice(up)], 1))
        full = functional.pixel_shuffle(self.to_full(functional.silu(up)), 2) + told(0, self.detail(maps))
        logits: torch.Tensor = self.head(functional.silu(full))
        return logits


def with_trunk(network: MaskNetwork, trunk: Trunk) -> MaskNetwork:
    """The same network with a trunk it does not listen to yet: its answers are the same until it is trained."""
    grown = MaskNetwork(replace(network.config, has_trunk=True))
    grown.load_state_dict(network.state_dict(), strict=False)
    grown.trunk.load_state_dict(trunk.state_dict())
    return grown


def with_second_look(first: torch.Tensor, second: torch.Tensor | None) -> torch.Tensor:
    """The network's input ``[B,CHANNELS,S,S]`` from the first look's maps and the second's, zeros for none."""
    if first.shape[1] != len(FIRST_LOOK):
        raise ValueError(f"the first look has {len(FIRST_LOOK)} maps, got {first.shape[1]}")
    if second is None:
        batch, _, height, width = first.shape
        second = first.new_zeros(batch, len(SECOND_LOOK), height, width)
    return torch.cat([first, second], 1)
