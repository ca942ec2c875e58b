"""The same held-out prompts every time, from the same noise: numbers to compare steps by, and a picture of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.imaging import composite, encode_png
from engine.records import Picture, PromptKind
from training.reflayer.buckets import BucketConfig, bucket_of, buckets
from training.reflayer.encoding import LatentEncoder, TextEmbeddings
from training.reflayer.examples import Example, Examples
from training.reflayer.guidance import Conditions, Guidance
from training.reflayer.pipeline import RefLayerPipeline
from training.reflayer.sampling import sample_latents
from training.reflayer.tensor_cache import name_of
from training.reflayer.tensors import Tensors, to_tensors

CHECKER_PX = 8


@dataclass(frozen=True, slots=True)
class ValidationConfig:
    examples: int = 16
    every: int = 500
    sampling_steps: int = 20
    canvas_guidance: float = 1.5
    text_guidance: float = 2.0
    grid_rows: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Means over the examples, and a PNG with a row per example: source, canvas, layer, alpha, visible, truth."""

    numbers: dict[str, float]
    grid_png: bytes


@torch.no_grad()
def validate(
    pipeline: RefLayerPipeline,
    encoder: LatentEncoder,
    texts: TextEmbeddings,
    examples: Examples,
    size: BucketConfig,
    config: ValidationConfig,
    is_sampled: bool,
) -> Report:
    """Decode the held-out targets' own latents (stage A), or sampled ones; visible pixels are never copied.

    ``alpha_from_latent`` is an ablation: how far alpha moves when the latent is zeros. Near 0 it says that the alpha
    decoder looks at the source alone.
    """
    rows: list[list[Picture]] = []
    numbers: dict[str, list[float]] = {}
    among = buckets(size)
    for index in range(min(config.examples, len(examples))):
        example = examples[index]
        tensors = to_tensors(example, *bucket_of(examples.size(index), among))
        found, source = _answer(pipeline, encoder, texts, example, tensors, config, is_sampled)
        picture, alpha, visible = (part[0].cpu() for part in pipeline.decode(found, source))
        blind = pipeline.decode(torch.zeros_like(found), source)[1][0].cpu()
        errors = _errors(example, tensors, picture, alpha, visible)
        for name, value in {**errors, "alpha_from_latent": float((alpha - blind).abs().mean())}.items():
            numbers.setdefault(name, []).append(value)
        if index < config.grid_rows:
            rows.append(_row(tensors, picture, alpha, visible))
    return Report({name: float(np.mean(values)) for name, values in numbers.items()}, encode_png(_grid(rows)))


def _answer(
    pipeline: RefLayerPipeline,
    encoder: LatentEncoder,
    texts: TextEmbeddings,
    example: Example,
    tensors: Tensors,
    config: ValidationConfig,
    is_sampled: bool,
) -> tuple[Tensor, Tensor]:
    """The example's latents ``[1, C, h, w]``, sampled or its target's own, and its source's."""
    batch = cast(Tensors, {key: cast(Tensor, tensor)[None] for key, tensor in tensors.items()})
    encoded = encoder(batch)
    found = encoded["target_mean"]
    if is_sampled:
        dtype = pipeline.transformer.dtype
        text, pooled = (embedded.to(found.device, dtype) for embedded in texts(["", example.prompt.text]))
        source, canvas = encoded["source"].to(dtype), encoded["canvas"].to(dtype)
        has_text = bool(example.prompt.text)
        given = Conditions(source, canvas, text[1:], pooled[1:], text[:1], pooled[:1], has_text)
        seed = int(name_of("validation", example.key)[:12], 16)
        noise = torch.randn(found.shape, generator=torch.Generator().manual_seed(seed)).to(found.device)
        guidance = Guidance(config.canvas_guidance, config.text_guidance)
        found = sample_latents(pipeline.network, pipeline.scheduler, given, noise, config.sampling_steps, guidance)
    return found, encoded["source"]


def _errors(example: Example, tensors: Tensors, picture: Tensor, alpha: Tensor, visible: Tensor) -> dict[str, float]:
    true_alpha, true_visible = tensors["alpha"][0], tensors["visible"][0] > 0.5
    amodal, found = true_alpha > 0.5, alpha > 0.5
    either = torch.count_nonzero(amodal | found)
    numbers = {"alpha_mae": float((alpha - true_alpha).abs().mean())}
    if example.prompt.kind is not PromptKind.BACKGROUND:
        numbers["alpha_iou"] = float(torch.count_nonzero(amodal & found) / either) if either else 1.0
    colour_error = (picture - (tensors["rgb"] / 2 + 0.5)).abs().mean(dim=0)
    opaque = true_alpha > 0.98
    for name, region in {"colour_visible": opaque & true_visible, "colour_hidden": opaque & ~true_visible}.items():
        if region.any():
            numbers[name] = float(colour_error[region].mean())
    seen = torch.count_nonzero(true_visible | (visible > 0.5))
    if seen:
        numbers["visible_iou"] = float(torch.count_nonzero(true_visible & (visible > 0.5)) / seen)
    return numbers


def _picture(tensor_chw: Tensor) -> Picture:
    return np.rint(tensor_chw.clamp(0, 1).permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def _row(tensors: Tensors, picture: Tensor, alpha: Tensor, visible: Tensor) -> list[Picture]:
    def grey(matte: Tensor) -> Picture:
        return _picture(matte.expand(3, -1, -1))

    def on_checker(colours: Tensor, matte: Tensor) -> Picture:
        rgba = np.dstack([_picture(colours), np.rint(matte.numpy() * 255).astype(np.uint8)])
        return composite(rgba, _checker(*rgba.shape[:2]))

    return [
        _picture(tensors["source"] / 2 + 0.5),
        _picture(tensors["canvas"] / 2 + 0.5),
        on_checker(picture, alpha),
        grey(alpha),
        grey(visible),
        on_checker(tensors["rgb"] / 2 + 0.5, tensors["alpha"][0]),
    ]


def _checker(height: int, width: int) -> Picture:
    rows, columns = np.arange(height) // CHECKER_PX, np.arange(width) // CHECKER_PX
    light = (rows[:, None] + columns[None]) % 2 == 0
    return np.repeat(np.where(light, 235, 200).astype(np.uint8)[..., None], 3, axis=2)


def _grid(rows: list[list[Picture]]) -> NDArray[Any]:
    """Rows under each other on white, each picture in the upper left of its cell."""
    height = max((p.shape[0] for row in rows for p in row), default=1)
    width = max((p.shape[1] for row in rows for p in row), default=1)
    sheet = np.full((height * len(rows), width * len(rows[0]), 3), 255, np.uint8)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet[y * height :, x * width :][: picture.shape[0], : picture.shape[1]] = picture
    return sheet
