"""What the frozen parts make of a batch: latents of source, canvas and target, and text embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypedDict

import torch
from torch import Tensor

from training.reflayer import latents
from training.reflayer.canvas_colour import lay_on_canvas
from training.reflayer.flow import FlowConfig, region_weights
from training.reflayer.network import Transparency
from training.reflayer.tensor_cache import TensorCache, fingerprint, name_of
from training.reflayer.tensors import Tensors


class Latents(TypedDict):
    """All ``[B, C, h, w]``, shifted and scaled; ``target_*`` have twice the channels with ``dual_latent``."""

    source: Tensor
    canvas: Tensor
    target_mean: Tensor
    target_std: Tensor
    weights: Tensor
    """Region weights of the flow loss, ``[B, 1, h, w]``."""


class LatentEncoder:
    """Frozen encoding of a batch. Conditions are the posterior's mean; the target keeps its spread, to sample from.

    ``offset_encoder`` adds its offset to the target where it is given (``latent_offset``, after its own training).
    """

    def __init__(
        self, vae: Any, transparency: Transparency, canvas_colour: float, flow: FlowConfig, offset_encoder: Any = None
    ) -> None:
        self.vae, self.transparency, self.canvas_colour = vae, transparency, canvas_colour
        self.flow, self.offset_encoder = flow, offset_encoder

    def fingerprint(self) -> str:
        facts = {"transparency": self.transparency, "canvas": self.canvas_colour, "flow": self.flow}
        parts = {"vae": self.vae, "offset": self.offset_encoder}
        return fingerprint(parts, dtype=self.vae.dtype, shift_scale=latents.shift_and_scale(self.vae), **facts)

    @torch.no_grad()
    def __call__(self, batch: Tensors) -> Latents:
        device = self.vae.device
        moved = {key: value.to(device) for key, value in batch.items() if isinstance(value, Tensor)}
        alpha, rgb = moved["alpha"], moved["rgb"]
        on_canvas = self.transparency != "latent_offset"
        target = lay_on_canvas(rgb, alpha, self.canvas_colour) if on_canvas else rgb
        pictures = [moved["source"], moved["canvas"], target]
        if self.transparency == "dual_latent":
            pictures.append((2 * alpha - 1).expand(-1, 3, -1, -1))
        mean, std = latents.encode(self.vae, torch.cat(pictures))
        means, stds = mean.chunk(len(pictures)), std.chunk(len(pictures))
        target_mean, target_std = torch.cat(means[2:], dim=1), torch.cat(stds[2:], dim=1)
        if self.offset_encoder is not None:
            target_mean = target_mean + target_std * self.offset_encoder(alpha, rgb).to(target_std.dtype)
        weights = region_weights(alpha, moved["visible"], latents.times_smaller(self.vae), self.flow)
        return Latents(
            source=means[0], canvas=means[1], target_mean=target_mean, target_std=target_std, weights=weights
        )


EncodeTexts = Callable[[Sequence[str]], tuple[Tensor, Tensor]]
"""Texts to embeddings ``[B, L, D]`` and pooled ``[B, P]``."""


class TextEmbeddings:
    """Embeddings of texts, each computed once: on disk with a cache, the latest ones in memory.

    SD3 gives its T5 no attention mask, so padded positions matter and are kept; only the exact zeros that stand for a
    missing T5 are trimmed from the file.
    """

    def __init__(self, encode: EncodeTexts, cache: TensorCache | None = None) -> None:
        self._encode, self._cache = encode, cache
        self._one = lru_cache(maxsize=512)(self._load)

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """``[B, L, D]`` and ``[B, P]`` on the CPU."""
        found = [self._one(text) for text in texts]
        return torch.stack([text for text, _ in found]), torch.stack([pooled for _, pooled in found])

    def _load(self, text: str) -> tuple[Tensor, Tensor]:
        name = name_of("text", text)
        entry = self._cache.get(name) if self._cache else None
        if entry is not None:
            tensors, facts = entry
            embedded = tensors["text"]
            missing = int(facts["length"]) - len(embedded)
            return torch.nn.functional.pad(embedded, (0, 0, 0, missing)), tensors["pooled"]
        with torch.no_grad():
            batched, pooled = self._encode([text])
        embedded, first = batched[0].cpu(), pooled[0].cpu()
        if self._cache:
            used = torch.nonzero(embedded.abs().sum(dim=1)).max().item() + 1 if embedded.any() else 0
            self._cache.put(name, {"text": embedded[: int(used)], "pooled": first}, {"length": str(len(embedded))})
        return embedded, first
