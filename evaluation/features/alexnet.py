"""AlexNet's five convolutions, the trunk of LPIPS, and the fixed-seed stand-in for all networks that are not here.

Random convolutions are a known baseline of perceptual distances: in Zhang et al. (2018, table 5) they agree with
people better than pixel differences and worse than learned ones. They know nothing of objects.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from engine.torchvision_guard import install
from evaluation.features.identity import Identity, weights_sha256

SEED = 0
SLICES = {0: "slice1.0", 3: "slice2.3", 6: "slice3.6", 8: "slice4.8", 10: "slice5.10"}
"""Torchvision's index of each convolution in ``features``, and its name inside the lpips package."""
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""LPIPS' own normalisation of [-1,1] pictures."""


def fixed_seed_trunk(seed: int = SEED) -> dict[str, torch.Tensor]:
    """Weights of the five convolutions in torchvision's names: He's initialisation (2015), biases 0."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    state: dict[str, torch.Tensor] = {}
    for index, shape in shapes.items():
        spread = (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
        state[f"features.{index}.weight"] = torch.randn(shape, generator=generator) * spread
        state[f"features.{index}.bias"] = torch.zeros(shape[0])
    return state


def lpips_network(trunk: Mapping[str, torch.Tensor]) -> Any:
    """``lpips.LPIPS`` (v0.1, alex) with its own linear heads on the given trunk; nothing is downloaded.

    ``trunk`` has torchvision's names; the classifier's weights in it are passed over. Raises ``ValueError`` for a
    trunk that lacks a convolution: a random one must never stand in silently.
    """
    install()
    import lpips

    wanted = {f"features.{index}.{kind}": f"{name}.{kind}" for index, name in SLICES.items() for kind in _KINDS}
    if missing := sorted(set(wanted) - set(trunk)):
        raise ValueError(f"the AlexNet trunk lacks {', '.join(missing)}")
    with warnings.catch_warnings():
        # The package still builds its trunk by torchvision's old keyword.
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    network.net.load_state_dict({inside: trunk[outside] for outside, inside in wanted.items()}, strict=True)
    return network.eval().requires_grad_(False)


_KINDS = ("weight", "bias")


class FixedSeedEncoder:
    """The offline image encoder: means of the five levels of the fixed-seed AlexNet over a grid of cells.

    ``[B,3,side,side]`` float 0..255 to ``[B, 1152 * grid * grid]`` float32. Every level is divided by its own
    root of dimensions, so that none drowns the others.
    """

    def __init__(self, grid: int, side_px: int, device: str = "cpu", seed: int = SEED) -> None:
        self.side_px, self.grid = side_px, grid
        self._network = lpips_network(fixed_seed_trunk(seed)).to(device)
        self._device = device
        self.identity = Identity(
            f"alexnet-seed{seed}-grid{grid}",
            weights_sha256(self._network.net),
            published=False,
            input=f"{side_px} px square, antialiased bicubic without rounding",
        )

    @torch.inference_mode()
    def __call__(self, pictures_b3hw: torch.Tensor) -> torch.Tensor:
        scaled = self._network.scaling_layer(pictures_b3hw.to(self._device, torch.float32) / 127.5 - 1)
        levels = [functional.adaptive_avg_pool2d(level, self.grid).flatten(1) for level in self._network.net(scaled)]
        return torch.cat([level / level.shape[1] ** 0.5 for level in levels], dim=1)
