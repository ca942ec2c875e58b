"""BiRefNet as a matting network: it takes what stands out, so it is shown one object on neutral grey."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

from engine.records import Picture
from engine.stages.completion.crop import NEUTRAL
from engine.stages.network import Network, numpy
from engine.stages.postprocess.birefnet.network import MULTIPLE, build
from engine.stages.roles import Floats

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class BiRefNetMatter(Network):
    """The trimap only says where the object cannot be. ``side_px``: the square at which the network was trained."""

    def __init__(self, weights: str, side_px: int = 1024, batch: int = 4) -> None:
        super().__init__(weights, batch)
        if side_px % MULTIPLE:
            raise ValueError(f"side_px must be a multiple of {MULTIPLE}, got {side_px}")
        self.side_px = side_px

    def load_from(self, place: Path) -> None:
        """Raises ``RuntimeError`` for weights of another shape: only tensors are read, no code comes with them."""
        (file,) = sorted(place.glob("*.safetensors"))
        self.network = build(load_file(file)).to(self.device, self.dtype).eval()

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], trimaps: Sequence[Floats]) -> list[Floats]:
        shown = [self._shown(picture, trimap) for picture, trimap in zip(pictures, trimaps, strict=True)]
        return [
            np.asarray(cv2.resize(alpha, trimap.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
            for alpha, trimap in zip(self.in_batches(shown, self._alphas), trimaps, strict=True)
        ]

    def _shown(self, picture_hwc: Picture, trimap_hw: Floats) -> Picture:
        alone = np.where((trimap_hw > 0)[..., None], picture_hwc, NEUTRAL).astype(np.uint8)
        return np.asarray(cv2.resize(alone, (self.side_px, self.side_px), interpolation=cv2.INTER_LINEAR), np.uint8)

    def _alphas(self, pictures: Sequence[Picture]) -> list[Floats]:
        mean, std = (torch.tensor(value, device=self.device).view(3, 1, 1) for value in (_MEAN, _STD))
        seen = torch.from_numpy(np.stack(pictures)).to(self.device).permute(0, 3, 1, 2).float() / 255
        logits = self.network(((seen - mean) / std).to(self.dtype)).float()
        return list(np.nan_to_num(numpy(torch.sigmoid(logits)))[:, 0])
