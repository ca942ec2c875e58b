"""Depth Anything V2 (Yang et al. 2024): relative depth of one picture, from transformers. Only Small is free for all
use; Base and Large are non-commercial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from engine.records import Picture
from engine.stages.network import Network, images_of, numpy
from engine.stages.roles import Floats


class DepthAnything(Network):
    def __init__(self, weights: str, batch: int = 8) -> None:
        super().__init__(weights, batch)

    def load_from(self, place: Path) -> None:
        from transformers import AutoImageProcessor, DepthAnythingForDepthEstimation

        self.network = self.pretrained(DepthAnythingForDepthEstimation, place)
        self.processor = AutoImageProcessor.from_pretrained(place, local_files_only=True)

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture]) -> list[Floats]:
        """Pictures of one size share a batch, because the processor keeps the aspect ratio."""
        return self.in_batches(pictures, self._depths, alike=lambda picture: picture.shape)

    def _depths(self, pictures: Sequence[Picture]) -> list[Floats]:
        inputs = self.processor(images=images_of(pictures), return_tensors="pt")
        outputs = self.network(**self.on_device(inputs))
        depth = torch.nn.functional.interpolate(
            outputs.predicted_depth[:, None].float(), size=pictures[0].shape[:2], mode="bilinear", align_corners=False
        )
        return list(numpy(depth[:, 0]))
