"""DINOv2 (Oquab et al. 2024): features that tell whether two pictures show one thing, from transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from engine.records import Picture
from engine.stages.network import Network, numpy
from engine.stages.postfilter.squares import to_square
from engine.stages.roles import Floats


class DinoV2Features(Network):
    def __init__(self, weights: str, batch: int = 32, side_px: int = 224) -> None:
        super().__init__(weights, batch)
        self.side_px = side_px

    def load_from(self, place: Path) -> None:
        from transformers import BitImageProcessor, Dinov2Model

        self.network = self.pretrained(Dinov2Model, place)
        processor = BitImageProcessor.from_pretrained(place, local_files_only=True)
        patch = self.network.config.patch_size
        self.side = max(patch, self.side_px // patch * patch)
        self.mean, self.std = (
            torch.tensor(value, device=self.device)[:, None, None]
            for value in (processor.image_mean, processor.image_std)
        )

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture]) -> Floats:
        rows = self.in_batches(pictures, self._vectors)
        return np.array(rows, np.float32).reshape(len(pictures), self.network.config.hidden_size)

    def _vectors(self, pictures: Sequence[Picture]) -> list[Floats]:
        shown = np.stack([to_square(picture, self.side) for picture in pictures])
        tensor = torch.from_numpy(shown).to(self.device).permute(0, 3, 1, 2).float() / 255
        outputs = self.network(pixel_values=((tensor - self.mean) / self.std).to(self.dtype))
        return list(numpy(torch.nn.functional.normalize(outputs.pooler_output.float(), dim=-1)))
