"""Which conditions a training sample goes without, so that guidance has something to guide away from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class DropoutConfig:
    """Independent chances. ``text_and_canvas`` trains the answer to the source alone, which three-way guidance
    starts from; chances for text and canvas by themselves would almost never meet."""

    text: float = 0.1
    canvas: float = 0.05
    text_and_canvas: float = 0.05
    everything: float = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What each sample keeps, bool ``[B]`` on the CPU."""

    text: Tensor
    canvas: Tensor
    source: Tensor


def draw(config: DropoutConfig, count: int, generator: torch.Generator) -> Kept:
    """One independent draw per chance and sample."""
    chances = torch.tensor([config.text, config.canvas, config.text_and_canvas, config.everything])
    text, canvas, both, everything = (torch.rand(count, 4, generator=generator) < chances).unbind(1)
    return Kept(~(text | both | everything), ~(canvas | both | everything), ~everything)
