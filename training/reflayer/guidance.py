"""Three-way guidance (the form of InstructPix2Pix, Brooks et al. 2023, for source, prompt canvas and text).

    v = v(I, -, -) + g_s [v(I, P, -) - v(I, -, -)] + g_t [v(I, P, T) - v(I, P, -)]

is a weighted sum of at most three answers. Those with weight 0 are not computed: one pass when both scales are 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.reflayer.network import RefLayerNetwork


@dataclass(frozen=True, slots=True)
class Guidance:
    """Scales of the prompt canvas and of the text; 1 means no guidance. Raises ``ValueError`` below 0."""

    canvas: float = 1.5
    text: float = 2.0

    def __post_init__(self) -> None:
        if min(self.canvas, self.text) < 0:
            raise ValueError(f"guidance scales are not negative, got {self.canvas} and {self.text}")

    def weights(self, with_text: bool) -> dict[tuple[bool, bool], float]:
        """Weight of each needed answer, keyed by (with canvas, with text); they add up to 1."""
        if with_text:
            shares = {(False, False): 1 - self.canvas, (True, False): self.canvas - self.text, (True, True): self.text}
        else:
            shares = {(False, False): 1 - self.canvas, (True, False): self.canvas}
        return {branch: share for branch, share in shares.items() if share}


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Encoded conditions of a batch: latents ``[B, 16, h, w]``, text ``[B, L, D]`` and ``[B, P]``; nulls have B = 1."""

    source: Tensor
    canvas: Tensor
    text: Tensor
    pooled: Tensor
    null_text: Tensor
    null_pooled: Tensor
    has_text: bool
    """False when every text of the batch is empty."""


def guided_velocity(
    network: RefLayerNetwork, noisy: Tensor, timestep: Tensor, given: Conditions, guidance: Guidance
) -> Tensor:
    """Velocity ``[B, C, h, w]`` under guidance, all needed answers in one batch; ``timestep`` is one number."""
    weights = guidance.weights(given.has_text)
    count, branches = len(noisy), len(weights)

    def repeated(tensor: Tensor) -> Tensor:
        return tensor.repeat(branches, *[1] * (tensor.ndim - 1))

    def chosen(full: Tensor, null: Tensor) -> Tensor:
        return torch.cat([full if with_text else null.expand_as(full) for _, with_text in weights])

    has_canvas = torch.tensor([with_canvas for with_canvas, _ in weights], device=noisy.device)
    answers = network(
        noisy=repeated(noisy),
        timesteps=timestep.expand(branches * count),
        source=repeated(given.source),
        canvas=repeated(given.canvas),
        text=chosen(given.text, given.null_text),
        pooled=chosen(given.pooled, given.null_pooled),
        has_source=torch.ones(branches * count, dtype=torch.bool, device=noisy.device),
        has_canvas=has_canvas.repeat_interleave(count),
    )
    if branches == 1:
        return answers
    shares = torch.tensor(list(weights.values()), device=noisy.device, dtype=torch.float32)
    mixed = torch.einsum("k,kbchw->bchw", shares, answers.float().unflatten(0, (branches, count)))
    return mixed.to(answers.dtype)
