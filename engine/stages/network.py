"""What all networks share: weights from a local folder, a device, a number type, no gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image

from engine import weights_folder
from engine.records import Box, Picture
from engine.torchvision_guard import install

T = TypeVar("T")

install()


class Network(ABC):
    """A role of ``engine.stages.roles`` filled by weights on this machine.

    ``load`` reads them from the folder of ``weights``, never from the network: every ``from_pretrained`` here gets
    ``local_files_only``. Construction touches neither file nor device.
    """

    def __init__(self, weights: str) -> None:
        self.weights = weights
        self.device = torch.device("cpu")
        self.dtype = torch.float32

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        self.device, self.dtype = torch.device(device), getattr(torch, dtype)
        self.load_from(weights_folder.require(self.weights))

    @abstractmethod
    def load_from(self, place: Path) -> None:
        """Build the network from the files in ``place`` and put it on ``device`` as ``dtype``."""

    def pretrained(self, model_class: Any, place: Path, **options: Any) -> Any:
        """A transformers network in evaluation mode, on the device."""
        from transformers.utils import logging

        logging.disable_progress_bar()
        network = model_class.from_pretrained(
            place, local_files_only=True, use_safetensors=True, dtype=self.dtype, **options
        )
        return network.to(self.device).eval()

    def on_device(self, inputs: Any) -> dict[str, Any]:
        """A processor's output on the device, its floating-point tensors in the network's number type."""
        return {
            name: (value.to(self.device, self.dtype) if value.is_floating_point() else value.to(self.device))
            if isinstance(value, torch.Tensor)
            else value
            for name, value in inputs.items()
        }


def images_of(pictures: Sequence[Picture]) -> list[Image.Image]:
    return [Image.fromarray(np.ascontiguousarray(picture)) for picture in pictures]


def sizes_of(pictures: Sequence[Picture]) -> list[tuple[int, int]]:
    """Height and width of each."""
    return [(picture.shape[0], picture.shape[1]) for picture in pictures]


def numpy(tensor: torch.Tensor) -> np.ndarray:
    """On the CPU; bfloat16, which NumPy does not know, as float32."""
    return np.asarray((tensor.float() if tensor.is_floating_point() else tensor).detach().cpu().numpy())


def in_chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def box_inside(box: Sequence[float], width: int, height: int) -> Box | None:
    """The box clipped to the picture; ``None`` when less than a pixel of it is left, or it is not finite."""
    if not np.isfinite(box).all():
        return None
    x0, x1 = (min(max(float(x), 0.0), float(width)) for x in (box[0], box[2]))
    y0, y1 = (min(max(float(y), 0.0), float(height)) for y in (box[1], box[3]))
    return (x0, y0, x1, y1) if x1 - x0 >= 1 and y1 - y0 >= 1 else None
