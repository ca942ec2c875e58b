"""Any of diffusers' inpainting pipelines behind one call: SDXL, SD3, FLUX.1 Fill, FLUX.2 klein, Qwen-Image-Edit.

``model_index.json`` in the weights' folder says which pipeline they were published as; the table below says which
inpainting pipeline takes the same parts, and how it wants to be asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from engine.records import Picture
from engine.stages.network import Network
from engine.stages.roles import Hole


@dataclass(frozen=True, slots=True)
class Family:
    pipeline: str
    """The class in diffusers that paints holes."""
    multiple: int
    """Sides of the picture must be multiples of this."""
    steps: int
    strength: float
    avoids: bool
    """Whether it takes a negative prompt."""
    options: Mapping[str, Any] = field(default_factory=dict)
    fixed_area: bool = False
    """Whether it works at its own size whatever it is given, and takes one picture at a time."""
    absent: tuple[str, ...] = ()
    """Parts that may be missing in the folder: T5 is 9 GB and SD3 does without."""


_SDXL = Family("StableDiffusionXLInpaintPipeline", 8, 30, 0.99, True, {"guidance_scale": 7.5})
_SD3 = Family(
    "StableDiffusion3InpaintPipeline",
    16,
    28,
    0.95,
    True,
    {"guidance_scale": 7.0},
    absent=("text_encoder_3", "tokenizer_3"),
)
_KLEIN = Family("Flux2KleinInpaintPipeline", 16, 4, 1.0, False, {"guidance_scale": 1.0})
_FILL = Family("FluxFillPipeline", 16, 30, 1.0, False, {"guidance_scale": 30.0})
_QWEN = Family("QwenImageEditInpaintPipeline", 16, 30, 1.0, True, {"true_cfg_scale": 4.0}, fixed_area=True)

FAMILIES: Mapping[str, Family] = {
    "StableDiffusionXLPipeline": _SDXL,
    "StableDiffusionXLInpaintPipeline": _SDXL,
    "StableDiffusion3Pipeline": _SD3,
    "StableDiffusion3InpaintPipeline": _SD3,
    "Flux2KleinPipeline": _KLEIN,
    "Flux2KleinInpaintPipeline": _KLEIN,
    "FluxFillPipeline": _FILL,
    "QwenImageEditPipeline": _QWEN,
    "QwenImageEditInpaintPipeline": _QWEN,
}
"""The class named in ``model_index.json`` to how its parts are used."""


class UnknownPipeline(ValueError):
    code = "unknown_pipeline"


class DiffusersInpaint(Network):
    """Holes of one size share a call. ``steps`` and ``strength`` default to what suits the family."""

    is_generative = True

    def __init__(
        self, weights: str, batch: int = 4, steps: int = 0, strength: float = 0.0, longest_px: int = 1024
    ) -> None:
        super().__init__(weights, batch)
        self.steps, self.strength, self.longest_px = steps, strength, longest_px

    def load_from(self, place: Path) -> None:
        import diffusers

        diffusers.utils.logging.disable_progress_bar()
        index = json.loads((place / "model_index.json").read_text())
        published = str(index["_class_name"])
        if published not in FAMILIES:
            raise UnknownPipeline(f"{place.name} is a {published}; known: {', '.join(FAMILIES)}")
        self.family = FAMILIES[published]
        pipeline = getattr(diffusers, self.family.pipeline)
        missing = {name: None for name in self.family.absent if not (place / name).is_dir()}
        self.pipe = pipeline.from_pretrained(
            place, local_files_only=True, use_safetensors=True, dtype=self.dtype, **missing
        )
        self.pipe.to(self.device)
        self.pipe.set_progress_bar_config(disable=True)
        if self.family.fixed_area:
            self.batch = 1

    @torch.inference_mode()
    def __call__(self, holes: Sequence[Hole]) -> list[Picture]:
        painted = self.in_batches(holes, self._paint, alike=self._working_size)
        return [
            np.asarray(cv2.resize(picture, hole.hole_hw.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
            for hole, picture in zip(holes, painted, strict=True)
        ]

    def _working_size(self, hole: Hole) -> tuple[int, int]:
        """Width and height, multiples of what the family wants, at most ``longest_px``."""
        height, width = hole.hole_hw.shape
        scale = min(1.0, self.longest_px / max(height, width))
        step = self.family.multiple
        return (
            max(step, round(width * scale / step) * step),
            max(step, round(height * scale / step) * step),
        )

    def _paint(self, holes: Sequence[Hole]) -> list[Picture]:
        """``holes`` have one working size."""
        family, size = self.family, self._working_size(holes[0])
        pictures = np.stack([cv2.resize(h.picture_hwc, size, interpolation=cv2.INTER_AREA) for h in holes])
        masks = np.stack([cv2.resize(h.hole_hw.astype(np.float32), size) > 0 for h in holes]).astype(np.float32)
        request: dict[str, Any] = {
            "prompt": [hole.text for hole in holes],
            "image": torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255,
            "mask_image": torch.from_numpy(masks)[:, None],
            "width": size[0],
            "height": size[1],
            "num_inference_steps": self.steps or family.steps,
            "generator": [torch.Generator("cpu").manual_seed(hole.seed % 2**63) for hole in holes],
            "output_type": "np",
            **family.options,
        }
        if family.fixed_area:
            request["image"] = Image.fromarray(pictures[0])
            request["mask_image"] = Image.fromarray((masks[0] * 255).astype(np.uint8))
        if family.pipeline != "FluxFillPipeline":
            request["strength"] = self.strength or family.strength
        if family.avoids:
            request["negative_prompt"] = [hole.avoid or " " for hole in holes]
        images = np.nan_to_num(np.asarray(self.pipe(**request).images, np.float32))
        return list(np.clip(np.rint(images * 255), 0, 255).astype(np.uint8))
