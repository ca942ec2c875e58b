"""What all networks share: weights from a local folder, a device, a number type, no gradients."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from PIL import Image

from engine import devices, weights_folder
from engine.records import Box, Picture
from engine.torchvision_guard import install

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger(__name__)

install()


class Network(ABC):
    """A role of ``engine.stages.roles`` filled by weights on this machine.

    ``load`` reads them from the folder of ``weights``, never from the network: every ``from_pretrained`` here gets
    ``local_files_only``. Construction touches neither file nor device. ``batch`` is how much goes through at once.
    """

    def __init__(self, weights: str, batch: int = 1) -> None:
        self.weights, self.batch = weights, batch
        self.device = torch.device("cpu")
        self.dtype = torch.float32

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        self.device, self.dtype = torch.device(device), getattr(torch, dtype)
        self.load_from(weights_folder.require(self.weights))

    @abstractmethod
    def load_from(self, place: Path) -> None:
        """Build the network from the files in ``place`` and put it on ``device`` as ``dtype``."""

    def in_batches(
        self,
        items: Sequence[T],
        run: Callable[[Sequence[T]], Sequence[R]],
        alike: Callable[[T], Hashable] = lambda item: None,
    ) -> list[R]:
        """``run`` over at most ``batch`` items at a time, which are ``alike``; its answers in the order of ``items``.

        When the device has no memory for a batch, half of it is tried, and ``batch`` stays at what went through:
        nothing that was done before is done again. Raises ``torch.OutOfMemoryError`` when one item alone is too much.
        """
        buckets: dict[Hashable, list[int]] = {}
        for number, item in enumerate(items):
            buckets.setdefault(alike(item), []).append(number)
        answers: dict[int, R] = {}
        for bucket in buckets.values():
            while bucket:
                some = bucket[: self.batch]
                found = self._tried([items[number] for number in some], run)
                if found is not None:
                    answers.update(zip(some, found, strict=True))
                    del bucket[: len(some)]
        return [answers[number] for number in range(len(items))]

    def _tried(self, items: Sequence[T], run: Callable[[Sequence[T]], Sequence[R]]) -> Sequence[R] | None:
        """``None`` when there was no memory and ``batch`` is smaller now."""
        try:
            return run(items)
        except torch.OutOfMemoryError:
            if len(items) == 1:
                raise
            self.batch = len(items) // 2
            log.warning("%s: no memory for %d at once, going on with %d", self.weights, len(items), self.batch)
        devices.forget(str(self.device))
        return None

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
