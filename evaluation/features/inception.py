"""The Inception network of the Frechet inception distance: TensorFlow's of 2015-12-05, as ported to PyTorch.

Torchvision's Inception v3 with the differences that matter to the features: 1008 classes, average pooling that does
not count its padding, and maximum pooling in the last block. The names of the weights are those of the pytorch-fid
port. Torchvision's own weights are another training and give other distances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from engine.torchvision_guard import install
from evaluation.features.identity import Identity, weights_sha256

SIDE_PX = 299
DIMENSIONS = 2048

Pool = Callable[[torch.Tensor], torch.Tensor]
_MEAN: Pool = partial(functional.avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False)
_MAX: Pool = partial(functional.max_pool2d, kernel_size=3, stride=1, padding=1)


def architecture() -> torch.nn.Module:
    """The untrained network with the port's names of weights; its pooling is still torchvision's."""
    install()
    from torchvision.models import inception

    return inception.Inception3(num_classes=1008, aux_logits=False, init_weights=False)


def pool_as_tensorflow(network: torch.nn.Module) -> None:
    """Change the pooling branches in place. The names of their weights change with it: load and move them before."""
    from torchvision.models import inception

    for name, block in network.named_children():
        if isinstance(block, inception.InceptionA | inception.InceptionC | inception.InceptionE):
            _pool_by(block, _MAX if name == "Mixed_7c" else _MEAN)


def _pool_by(block: Any, pool: Pool) -> None:
    convolution, outputs = block.branch_pool, block._forward
    # What torchvision's own branch makes is thrown away; without its convolution that costs next to nothing.
    block.branch_pool = torch.nn.Identity()

    def forward(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([*outputs(x)[:-1], convolution(pool(x))], dim=1)

    block.forward = forward


class InceptionEncoder:
    """``[B,3,299,299]`` float 0..255 to ``[B,2048]`` float32, the features after the last average pooling."""

    side_px = SIDE_PX

    def __init__(self, state: Mapping[str, torch.Tensor], name: str, device: str = "cpu") -> None:
        """Raises ``RuntimeError`` (torch's) for weights of another network."""
        network: Any = architecture()
        network.load_state_dict(dict(state), strict=True)
        self.identity = Identity(
            name, weights_sha256(network), published=True, input="299 px square, antialiased bicubic without rounding"
        )
        network.to(device).eval().requires_grad_(False)
        network.fc = torch.nn.Identity()
        pool_as_tensorflow(network)
        self._network, self._device = network, device

    @torch.inference_mode()
    def __call__(self, pictures_b3hw: torch.Tensor) -> torch.Tensor:
        pictures = pictures_b3hw.to(self._device, torch.float32)
        features: torch.Tensor = self._network((pictures - 128) / 128)
        return features
