"""ViTMatte (Yao et al. 2024, *ViTMatte: Boosting image matting with pre-trained plain vision transformers*), from
transformers. Memory goes with the square of the area: crops are worked on at no more than ``longest_px``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from engine.records import Picture
from engine.stages.network import Network, images_of, numpy
from engine.stages.roles import Floats


class VitMatte(Network):
    def __init__(self, weights: str, longest_px: int = 1024) -> None:
        super().__init__(weights)
        self.longest_px = longest_px

    def load_from(self, place: Path) -> None:
        from transformers import VitMatteForImageMatting, VitMatteImageProcessor

        self.network = self.pretrained(VitMatteForImageMatting, place)
        self.processor: Any = VitMatteImageProcessor.from_pretrained(place, local_files_only=True)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture], trimaps: Sequence[Floats]) -> list[Floats]:
        return [self._matte(picture, trimap) for picture, trimap in zip(pictures, trimaps, strict=True)]

    def _matte(self, picture_hwc: Picture, trimap_hw: Floats) -> Floats:
        """The processor pads to its multiple at the bottom and right; that part of the answer is cut off."""
        height, width = trimap_hw.shape
        scale = min(1.0, self.longest_px / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = np.asarray(cv2.resize(picture_hwc, size, interpolation=cv2.INTER_AREA), np.uint8)
        trimap = cv2.resize(np.rint(trimap_hw * 255).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        inputs = self.processor(
            images=images_of([picture]), trimaps=[Image.fromarray(np.asarray(trimap))], return_tensors="pt"
        )
        alpha = numpy(self.network(**self.on_device(inputs)).alphas)[0, 0, : size[1], : size[0]]
        full = cv2.resize(alpha.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.clip(np.nan_to_num(full), 0.0, 1.0).astype(np.float32)
