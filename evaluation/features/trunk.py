"""What the shipped ``reflayer-tiny`` sees with: EfficientNet-Lite0 trained on ImageNet, as an offline stand-in.

It lies in the repository, so it needs no download. It was trained to tell a thousand kinds of things apart, as the
trunk of LPIPS was, and is never trained further: a checkpoint that starts from the shipped one is not measured with
eyes of its own. No people's judgements were used to weigh its levels, so it is a variant of its own.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from evaluation.features.identity import Identity, weights_sha256
from evaluation.features.perceptual import Levels
from training.reflayer.tiny.checkpoint import load_network
from training.reflayer.tiny.pipeline import SHIPPED
from training.reflayer.tiny.trunk import Trunk

SIDE_PX = 224
"""What the trunk was trained on."""
NAME = "efficientnet-lite0"


def shipped_trunk(device: str = "cpu") -> Trunk:
    """Of the checkpoint in the repository."""
    return load_network(SHIPPED).trunk.to(device).eval()


class TrunkEncoder:
    """``[B,3,224,224]`` float 0..255 to ``[B, 472 * grid * grid]`` float32.

    Means of the three coarsest levels over a grid of cells; every level divided by its own root of dimensions, so
    that none drowns the others.
    """

    side_px = SIDE_PX

    def __init__(self, grid: int, trunk: Trunk, device: str = "cpu") -> None:
        self.grid, self._trunk, self._device = grid, trunk, device
        self.identity = Identity(
            f"{NAME}-grid{grid}",
            weights_sha256(trunk),
            published=False,
            input=f"{SIDE_PX} px square, antialiased bicubic without rounding, 0..255 mapped to -1..1",
        )

    @torch.inference_mode()
    def __call__(self, pictures_b3hw: torch.Tensor) -> torch.Tensor:
        levels = self._trunk(pictures_b3hw.to(self._device, torch.float32) / 127.5 - 1)[2:]
        cells = [functional.adaptive_avg_pool2d(level, self.grid).flatten(1) for level in levels]
        return torch.cat([level / level.shape[1] ** 0.5 for level in cells], dim=1)


class TrunkDistance:
    """One minus the cosine of the features, mean over five levels: LPIPS without its heads ("baseline" there).

    0 for equal pictures, 2 at most. Zhang et al. 2018, table 5: trunks trained on ImageNet agree with people better
    than random ones, also without the heads.
    """

    def __init__(self, trunk: Trunk, device: str = "cpu") -> None:
        self._trunk, self._device = trunk, device
        self.identity = Identity(
            f"{NAME}-cosine", weights_sha256(trunk), published=False, input="0..1 mapped to -1..1, size of the picture"
        )

    @torch.inference_mode()
    def levels(self, pictures_b3hw: torch.Tensor) -> Levels:
        features = self._trunk(pictures_b3hw.to(self._device, torch.float32) * 2 - 1)
        return [functional.normalize(level, dim=1) for level in features]

    @torch.inference_mode()
    def differences(self, a: Levels, b: Levels) -> list[torch.Tensor]:
        """One ``[B,1,h,w]`` per level: what each of its pixels adds."""
        return [(x - y).square().sum(1, keepdim=True) / (2 * len(a)) for x, y in zip(a, b, strict=True)]
