"""Image features of CLIP (Radford et al. 2021) by open_clip."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from engine.torchvision_guard import install
from evaluation.features.identity import Identity, weights_sha256


class ClipEncoder:
    """``[B,3,side,side]`` float 0..255 to ``[B,D]`` float32 of unit length.

    ``architecture`` is a name of open_clip's; OpenAI's weights need one that ends in ``-quickgelu``, because their
    activation is another and open_clip would load them all the same.
    """

    def __init__(self, architecture: str, weights: Path, name: str, device: str = "cpu") -> None:
        """Raises ``RuntimeError`` (torch's) for weights of another network."""
        install()
        import open_clip

        with warnings.catch_warnings():
            # open_clip warns that nothing is loaded: the next line loads.
            warnings.simplefilter("ignore")
            network: Any = open_clip.create_model(architecture, pretrained=None)
        open_clip.load_checkpoint(network, str(weights), strict=True, weights_only=True)
        self._visual = network.visual.to(device).eval().requires_grad_(False)
        self.side_px = int(open_clip.get_model_config(architecture)["vision_cfg"]["image_size"])
        self._mean = torch.tensor(open_clip.OPENAI_DATASET_MEAN, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(open_clip.OPENAI_DATASET_STD, device=device).view(1, 3, 1, 1)
        self._device = device
        self.identity = Identity(
            name, weights_sha256(self._visual), published=True, input=f"{self.side_px} px, padded to a square, bicubic"
        )

    @torch.inference_mode()
    def __call__(self, pictures_b3hw: torch.Tensor) -> torch.Tensor:
        pictures = pictures_b3hw.to(self._device, torch.float32) / 255
        features: torch.Tensor = self._visual((pictures - self._mean) / self._std)
        return functional.normalize(features.float(), dim=1)
