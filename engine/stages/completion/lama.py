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

    def __init__(self, weights: str, working_px: int = 1024, border_px: int = 32) -> None:
        super().__init__(weights)
        self.working_px, self.border_px = working_px, border_px

    def load_from(self, place: Path) -> None:
        """TorchScript runs no Python of the file; float32 only, as its Fourier part knows no bfloat16."""
        (file,) = sorted(place.glob("*.pt"))
        self.network = torch.jit.load(str(file), map_location=self.device).eval()

    @torch.inference_mode()
    def __call__(self, holes: Sequence[Hole]) -> list[Picture]:
        return [self._fill(hole) for hole in holes]

    def _fill(self, hole: Hole) -> Picture:
        height, width = hole.hole_hw.shape
        scale = min(1.0, self.working_px / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(hole.picture_hwc, size, interpolation=cv2.INTER_AREA), np.float32) / 255
        mask = cv2.resize(hole.hole_hw.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        pads = [(self.border_px, self.border_px + -(side + 2 * self.border_px) % _MULTIPLE) for side in mask.shape]
        picture = np.pad(small, [*pads, (0, 0)], mode="symmetric")
        known = np.pad(mask.astype(np.float32), pads)
        filled = self.network(self._tensor(picture.transpose(2, 0, 1)[None]), self._tensor(known[None, None]))
        inner = numpy(filled[0]).transpose(1, 2, 0)[pads[0][0] :, pads[1][0] :][: size[1], : size[0]]
        colours = np.clip(np.rint(inner * 255), 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
