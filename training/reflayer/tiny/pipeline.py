"""``RefLayerTinyPipeline``: the shipped small checkpoint behind the interface of ``RefLayerPipeline``.

A mask network at 128 px finds alpha and what of it is seen; colours are copied or filled. Alpha is brought to the
picture's size along the picture's own edges, so a large photograph gets a layer of its own size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from engine.records import Picture, Prompt, PromptKind, RGBALayer
from engine.refusals import Refusal
from training.asking import checked_picture, checked_prompt
from training.reflayer.tiny import layer_colours
from training.reflayer.tiny.answering import mattes
from training.reflayer.tiny.canvas_reading import read_canvas
from training.reflayer.tiny.checkpoint import load_network, save_network
from training.reflayer.tiny.mask_network import MaskNetwork

SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints" / "reflayer-tiny"


class RefLayerTinyPipeline:
    """Picture and prompt in, RGBA layer out; no text, no sampling, the same answer every time."""

    def __init__(self, mask_network: MaskNetwork) -> None:
        # A fifth less time than with PyTorch's own order of dimensions.
        self.mask_network = mask_network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def from_pretrained(cls, folder: str | Path = SHIPPED) -> RefLayerTinyPipeline:
        """Raises ``BrokenCheckpoint`` for a folder that is not one of this pipeline or whose files are damaged."""
        return cls(load_network(Path(folder)))

    def save_pretrained(self, folder: str | Path) -> None:
        """In diffusers' layout. Raises ``NonFiniteWeights`` before anything is written."""
        save_network(self.mask_network, Path(folder))

    def __call__(
        self,
        image: Picture | Image.Image | Sequence[Picture | Image.Image],
        prompt: Prompt | Sequence[Prompt] | None = None,
        *,
        canvas: Picture | Sequence[Picture] | None = None,
        text: str | Sequence[str] | None = None,
        num_inference_steps: int = 2,
        canvas_guidance: float = 1.0,
        text_guidance: float = 1.0,
        generator: torch.Generator | None = None,
        keep_visible: bool = True,
        resolution: int | None = None,
        on_step: Callable[[int], None] | None = None,
    ) -> RGBALayer | list[RGBALayer]:
        """One layer per picture, each of its picture's size; a list when pictures came as a list.

        ``prompt`` in pixels of the picture, or ``canvas``, an already drawn one, which wins. A background prompt with
        a mask removes what is masked, without one whatever the network takes for objects. With
        ``num_inference_steps`` of 1 the network looks only once. Text is passed over beside a place; guidance,
        ``generator``, ``keep_visible`` and ``resolution`` are there so that callers need not ask which network they
        hold: nothing is sampled here, visible pixels are always copied and the core's size is fixed.

        Raises ``engine.refusals.Refusal`` for pictures and prompts that make no sense, ``text_only`` when nothing but
        a text says where to look.
        """
        is_single = isinstance(image, np.ndarray | Image.Image)
        pictures: list[Any] = [image] if is_single else list(image)  # type: ignore[arg-type]
        layers = []
        for number, picture in enumerate(pictures):
            source = checked_picture(_pixels(picture))
            asked = _asked(source, _nth(prompt, number, Prompt), _nth(canvas, number, np.ndarray))
            layers.append(self._layer(source, asked, num_inference_steps))
            if on_step is not None:
                on_step(number)
        return layers[0] if is_single else layers

    def _layer(self, source: Picture, prompt: Prompt, looks: int) -> RGBALayer:
        if prompt.kind is PromptKind.BACKGROUND:
            if prompt.mask_hw is not None:
                return layer_colours.background_of(source, prompt.mask_hw.astype(np.float32))
            alpha, _ = mattes(self.mask_network, source, prompt, looks)
            return layer_colours.background_of(source, alpha)
        alpha, shows = mattes(self.mask_network, source, prompt, looks)
        return layer_colours.layer_of(source, alpha, shows)


def _asked(source: Picture, prompt: Prompt | None, canvas: Picture | None) -> Prompt:
    height, width = source.shape[:2]
    if canvas is not None:
        if canvas.shape != source.shape:
            raise Refusal("canvas_size", f"The canvas is {canvas.shape}, the picture {source.shape}.")
        prompt = read_canvas(canvas)
    asked = checked_prompt(prompt or Prompt(PromptKind.BACKGROUND), width, height)
    has_place = bool(asked.points) or asked.box is not None or asked.mask_hw is not None
    if not has_place and asked.kind is not PromptKind.BACKGROUND:
        raise Refusal("text_only", "This checkpoint reads no text: give a point, a box or a mask.")
    return asked


def _pixels(image: Any) -> Picture:
    return np.asarray(image.convert("RGB")) if isinstance(image, Image.Image) else image


def _nth(given: Any, number: int, one: type) -> Any:
    return given if given is None or isinstance(given, one) else given[number]
