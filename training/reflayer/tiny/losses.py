"""What the mask network is trained on: alpha and visible share against the truth."""

from __future__ import annotations

import torch
from torch.nn import functional

CONTESTED_WEIGHT = 3.0
"""Of pixels where the object is hidden, or its hull reaches under something: the hard part of an amodal mask."""


def soft_iou(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """One minus the overlap of soft masks ``[B,C,H,W]``, per picture and channel ``[B,C]``; 0 is perfect."""
    smaller = torch.minimum(predicted, truth).sum((-1, -2))
    larger = torch.maximum(predicted, truth).sum((-1, -2))
    return 1 - (smaller + 1) / (larger + 1)


def _slopes(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]


def mask_loss(logits: torch.Tensor, truth: torch.Tensor, contested: torch.Tensor) -> torch.Tensor:
    """Loss per picture ``[B]``, in float32: cross-entropy, L1, soft IoU and gradient of both channels.

    ``logits`` and ``truth`` (0..1) are ``[B,2,H,W]``: alpha, visible share. ``contested`` ``[B,1,H,W]`` 0..1.
    """
    logits = logits.float()
    predicted = torch.sigmoid(logits)
    weight = 1 + (CONTESTED_WEIGHT - 1) * contested
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    pixels = ((entropy + (predicted - truth).abs()) * weight).sum((1, 2, 3)) / (2 * weight.sum((1, 2, 3)))
    edges = sum(
        (mine - true).abs().mean((1, 2, 3)) for mine, true in zip(_slopes(predicted), _slopes(truth), strict=True)
    )
    return pixels + 0.7 * soft_iou(predicted, truth).mean(1) + 0.5 * edges
