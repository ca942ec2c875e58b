"""What each stage lowers: the velocity error (B), or the alpha error on encoded (A) and sampled (C) latents.

An objective has one ``module``, the only thing that is wrapped for several devices, and draws all its randomness from
the generator it is given, so a step is a function of weights, batch and seed.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.reflayer import latents
from training.reflayer.alpha_decoder import AlphaDecoder
from training.reflayer.batches import Batch
from training.reflayer.dropout import DropoutConfig, draw
from training.reflayer.encoding import LatentEncoder, Latents, TextEmbeddings
from training.reflayer.flow import RectifiedFlow, velocity_loss
from training.reflayer.losses import AlphaLossConfig, alpha_terms
from training.reflayer.network import RefLayerNetwork

LATENT_NOISE = 0.05
"""Added to latents when the alpha decoder learns: sampled ones are never as clean as encoded ones."""
SAMPLED_SHARE = 0.5


class Objective(Protocol):
    needs_pixels: bool

    @property
    def module(self) -> nn.Module: ...

    def loss(self, module: Any, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss (float32 scalar) and its parts. ``module`` is ``self.module``, perhaps wrapped."""


def latents_of(batch: Batch, encoder: LatentEncoder) -> Latents:
    """From the cache, or encoded now."""
    if batch.latents is not None:
        return batch.latents
    assert batch.pixels is not None
    return encoder(batch.pixels)


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Drawn on the CPU, so that a seed means the same on every device."""
    return torch.randn(like.shape, generator=generator).to(like.device)


def draw_target(encoded: Latents, generator: torch.Generator) -> Tensor:
    """One sample of the target's posterior, float32."""
    mean, std = encoded["target_mean"].float(), encoded["target_std"].float()
    return mean + std * _noise(mean, generator)


class FlowObjective:
    """Stage B: the network learns the velocity from noise to the target's latent."""

    needs_pixels = False

    def __init__(
        self,
        network: RefLayerNetwork,
        flow: RectifiedFlow,
        dropout: DropoutConfig,
        encoder: LatentEncoder,
        texts: TextEmbeddings,
    ) -> None:
        self.module = network
        self._flow, self._dropout, self._encoder, self._texts = flow, dropout, encoder, texts

    def loss(self, module: Any, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        encoded = latents_of(batch, self._encoder)
        clean = draw_target(encoded, generator)
        kept = draw(self._dropout, len(clean), generator)
        text, pooled = self._texts([t if keep else "" for t, keep in zip(batch.texts, kept.text, strict=True)])
        indices = self._flow.draw_indices(len(clean), generator)
        noisy, timesteps, target = self._flow.mix(clean, _noise(clean, generator), indices)
        velocity = module(
            noisy=noisy,
            timesteps=timesteps,
            source=encoded["source"].float(),
            canvas=encoded["canvas"].float(),
            text=text.to(clean.device),
            pooled=pooled.to(clean.device),
            has_source=kept.source.to(clean.device),
            has_canvas=kept.canvas.to(clean.device),
        )
        loss = velocity_loss(velocity, target, encoded["weights"])
        return loss, {"velocity": loss.detach()}


class AlphaNetwork(nn.Module):
    """Alpha decoder and, with ``latent_offset``, the encoder whose offset it reads; trained together."""

    def __init__(self, alpha_decoder: AlphaDecoder, offset_encoder: Any = None) -> None:
        super().__init__()
        self.alpha_decoder = alpha_decoder
        self.offset_encoder = offset_encoder

    def forward(self, mean: Tensor, std: Tensor, source: Tensor, alpha: Tensor, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``[B, 2, H, W]`` and the latents ``[B, C, h, w]`` they were read from."""
        if self.offset_encoder is not None:
            mean = mean + std * self.offset_encoder(alpha, rgb)
        return self.alpha_decoder(mean, source), mean


class AlphaObjective:
    """Stages A and C: alpha and visible mask from the latent; in C half of the latents are the network's own."""

    needs_pixels = True

    def __init__(
        self,
        alpha_decoder: AlphaDecoder,
        encoder: LatentEncoder,
        config: AlphaLossConfig,
        offset_encoder: Any = None,
    ) -> None:
        self.module = AlphaNetwork(alpha_decoder, offset_encoder)
        self._encoder, self._config = encoder, config
        self._is_dual = encoder.transparency == "dual_latent"

    def loss(self, module: Any, batch: Batch, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        assert batch.pixels is not None
        encoded, pixels = latents_of(batch, self._encoder), batch.pixels
        mean, std = encoded["target_mean"].float(), encoded["target_std"].float()
        if "sampled" in batch.extra:
            is_sampled = torch.rand(len(mean), generator=generator).to(mean.device) < SAMPLED_SHARE
            mean = torch.where(is_sampled[:, None, None, None], batch.extra["sampled"].float(), mean)
        mean = mean + LATENT_NOISE * _noise(mean, generator)
        if self._is_dual:
            mean, std = mean.chunk(2, dim=1)[1], std.chunk(2, dim=1)[1]
        alpha, rgb = pixels["alpha"].to(mean.device), pixels["rgb"].to(mean.device)
        logits, read = module(mean, std, encoded["source"].float(), alpha, rgb)
        terms = alpha_terms(logits, alpha, pixels["visible"].to(mean.device), rgb, generator, self._config)
        if self.module.offset_encoder is not None:
            terms["colours_kept"] = F.l1_loss(latents.decode(self._encoder.vae, read).float(), rgb)
        return torch.stack(list(terms.values())).sum(), {name: term.detach() for name, term in terms.items()}
