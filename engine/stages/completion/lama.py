"""LaMa (Suvorov et al. 2022, *Resolution-robust Large Mask Inpainting with Fourier Convolutions*), the published
TorchScript file. Deterministic; good at structure behind small things, blurred in large holes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from engine.records import Picture
from engine.stages.network import Network, numpy
from engine.stages.roles import Hole

_MULTIPLE = 8


class Lama(Network):
    """A picture is worked on at no more than ``working_px``; around its border it is continued by reflection."""

    is_generative = False

    def __init__(self, weights: str, working_px: int = 1024, border_px: int = 32, batch: int = 4) -> None:
        super().__init__(weights, batch)
        self.working_px, self.border_px = working_px, border_px

    def load_from(self, place: Path) -> None:
        """TorchScript runs no Python of the file; float32 only, as its Fourier part knows no bfloat16."""
        (file,) = sorted(place.glob("*.pt"))
        self.network = torch.jit.load(str(file), map_location=self.device).eval()

    @torch.inference_mode()
    def __call__(self, holes: Sequence[Hole]) -> list[Picture]:
        """Pictures of one working size share a batch."""
        filled = self.in_batches(holes, self._fill, alike=self._working_size)
        return [
            np.asarray(cv2.resize(picture, hole.hole_hw.shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
            for hole, picture in zip(holes, filled, strict=True)
        ]

    def _working_size(self, hole: Hole) -> tuple[int, int]:
        """Width and height."""
        height, width = hole.hole_hw.shape
        scale = min(1.0, self.working_px / max(height, width))
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _fill(self, holes: Sequence[Hole]) -> list[Picture]:
        size = self._working_size(holes[0])
        small = np.stack([cv2.resize(hole.picture_hwc, size, interpolation=cv2.INTER_AREA) for hole in holes])
        masks = [cv2.resize(hole.hole_hw.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0 for hole in holes]
        pads = [(self.border_px, self.border_px + -(side + 2 * self.border_px) % _MULTIPLE) for side in size[::-1]]
        pictures = np.pad(small.astype(np.float32) / 255, [(0, 0), *pads, (0, 0)], mode="symmetric")
        known = np.pad(np.stack(masks).astype(np.float32), [(0, 0), *pads])
        filled = self.network(self._tensor(pictures.transpose(0, 3, 1, 2)), self._tensor(known[:, None]))
        inner = numpy(filled).transpose(0, 2, 3, 1)[:, pads[0][0] :, pads[1][0] :][:, : size[1], : size[0]]
        return list(np.clip(np.rint(inner * 255), 0, 255).astype(np.uint8))

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
