"""Who a network is: a name, a digest of its weights and whether these are the published ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch


@dataclass(frozen=True, slots=True)
class Identity:
    """Two scores may stand on one board only when their networks are equal."""

    name: str
    weights_sha256: str
    published: bool
    """False for the offline stand-ins: fixed-seed weights that nobody has calibrated."""
    input: str
    """What is fed to it, in words: size, range, resize."""

    @property
    def variant(self) -> str:
        return "published" if self.published else "offline"

    def as_choices(self) -> dict[str, Any]:
        return {
            "network": self.name,
            "weights_sha256": self.weights_sha256,
            "variant": self.variant,
            "input": self.input,
        }


class ImageEncoder(Protocol):
    """``[B,3,side_px,side_px]`` float 0..255 to ``[B,D]`` float32."""

    side_px: int
    identity: Identity

    def __call__(self, pictures_b3hw: torch.Tensor) -> torch.Tensor: ...


def weights_sha256(module: torch.nn.Module) -> str:
    """Of names, shapes and values in the order of their names, so that it does not depend on a file format."""
    digest = hashlib.sha256()
    for name, values in sorted(module.state_dict().items()):
        array = np.ascontiguousarray(values.detach().cpu().numpy())
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
