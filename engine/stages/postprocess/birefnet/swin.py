"""Swin Transformer (Liu et al. 2021, *Hierarchical Vision Transformer using Shifted Windows*) as a pyramid of features.

Names of parts are those of the published checkpoints, which are loaded strictly. Only what inference needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_MLP_RATIO = 4


class Swin(nn.Module):
    """``[B,3,H,W]`` to four maps at a fourth, eighth, sixteenth and thirty-second of the size, narrow to wide."""

    def __init__(self, width: int, depths: Sequence[int], heads: Sequence[int], window: int) -> None:
        super().__init__()
        self.patch_embed = _Patches(width)
        widths = [width << level for level in range(len(depths))]
        self.layers = nn.ModuleList(
            _Level(widths[n], depths[n], heads[n], window, is_last=n == len(depths) - 1) for n in range(len(depths))
        )
        for level, channels in enumerate(widths):
            self.add_module(f"norm{level}", nn.LayerNorm(channels))

    def forward(self, picture: Tensor) -> list[Tensor]:
        tokens, out = self.patch_embed(picture), []
        for number, level in enumerate(self.layers):
            seen, tokens = level(tokens)
            out.append(getattr(self, f"norm{number}")(seen).permute(0, 3, 1, 2).contiguous())
        return out


class _Patches(nn.Module):
    side = 4

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, self.side, self.side)
        self.norm = nn.LayerNorm(width)

    def forward(self, picture: Tensor) -> Tensor:
        """``[B,H,W,C]``, as everywhere below."""
        high, wide = (-side % self.side for side in picture.shape[2:])
        tokens: Tensor = self.norm(self.proj(functional.pad(picture, (0, wide, 0, high))).permute(0, 2, 3, 1))
        return tokens


class _Level(nn.Module):
    """Blocks of one resolution, every second with its windows shifted by half; then half the resolution."""

    def __init__(self, width: int, depth: int, heads: int, window: int, is_last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(width, heads, window, window // 2 * (n % 2)) for n in range(depth))
        self.downsample = None if is_last else _Merge(width)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        for block in self.blocks:
            tokens = block(tokens)
        return tokens, tokens if self.downsample is None else self.downsample(tokens)


class _Merge(nn.Module):
    """Four neighbours become one token of twice the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        high, wide = tokens.shape[1] % 2, tokens.shape[2] % 2
        padded = functional.pad(tokens, (0, 0, 0, wide, 0, high))
        quarters = [padded[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        merged: Tensor = self.reduction(self.norm(torch.cat(quarters, dim=-1)))
        return merged


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = _WindowAttention(width, heads, window)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = _Mlp(width)

    def forward(self, tokens: Tensor) -> Tensor:
        height, width = tokens.shape[1:3]
        high, wide = -height % self.window, -width % self.window
        padded = functional.pad(self.norm1(tokens), (0, 0, 0, wide, 0, high))
        apart = None
        if self.shift:
            padded = torch.roll(padded, (-self.shift, -self.shift), (1, 2))
            apart = self._apart(padded)
        mixed = _joined(self.attn(_windows(padded, self.window), apart), padded.shape, self.window)
        if self.shift:
            mixed = torch.roll(mixed, (self.shift, self.shift), (1, 2))
        tokens = tokens + mixed[:, :height, :width]
        return tokens + self.mlp(self.norm2(tokens))

    def _apart(self, tokens: Tensor) -> Tensor:
        """``[windows of a picture,N,N]``: minus infinity between tokens that the shift brought into one window."""
        height, width = tokens.shape[1:3]
        rows, columns = (
            torch.bucketize(torch.arange(side), torch.tensor([side - self.window, side - self.shift]), right=True)
            for side in (height, width)
        )
        region = (3 * rows[:, None] + columns[None]).view(1, height, width, 1).to(tokens.device)
        parts = _windows(region, self.window)[..., 0]
        differ = parts[:, None] != parts[:, :, None]
        return torch.zeros(differ.shape, dtype=tokens.dtype, device=tokens.device).masked_fill(differ, -torch.inf)


class _WindowAttention(nn.Module):
    relative_position_index: Tensor

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.register_buffer("relative_position_index", _relative_positions(window))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, apart: Tensor | None) -> Tensor:
        """``tokens`` ``[windows of all pictures,N,C]``, picture by picture; ``apart`` for those of one picture."""
        count, size, width = tokens.shape
        query, key, value = self.qkv(tokens).view(count, size, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        index = self.relative_position_index.flatten()
        bias = self.relative_position_bias_table[index].view(size, size, -1).permute(2, 0, 1)[None].to(query.dtype)
        if apart is not None:
            bias = bias + apart.repeat(count // len(apart), 1, 1)[:, None]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(count, size, width))
        return out


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, _MLP_RATIO * width)
        self.fc2 = nn.Linear(_MLP_RATIO * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        out: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return out


def _relative_positions(window: int) -> Tensor:
    """Row of the bias table ``[N,N]`` for every pair of places in a window."""
    place = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
    rows, columns = place[:, :, None] - place[:, None, :] + window - 1
    return rows * (2 * window - 1) + columns


def _windows(tokens: Tensor, window: int) -> Tensor:
    """``[B,H,W,C]`` to ``[B*windows,N,C]``."""
    count, height, width, channels = tokens.shape
    cut = tokens.view(count, height // window, window, width // window, window, channels)
    return cut.permute(0, 1, 3, 2, 4, 5).reshape(-1, window * window, channels)


def _joined(windows: Tensor, shape: Sequence[int], window: int) -> Tensor:
    count, height, width, channels = shape
    cut = windows.view(count, height // window, width // window, window, window, channels)
    return cut.permute(0, 1, 3, 2, 4, 5).reshape(count, height, width, channels)
