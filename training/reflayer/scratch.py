"""A tiny checkpoint in SD3's format from nothing: random transformer and text encoders, an autoencoder fitted briefly.

For tests, for ``tiny_cpu`` and for comparing choices at a fixed small budget; nothing here knows anything of the world.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from torch import Tensor
from torch.nn import functional as F

from training.reflayer.examples import Examples
from training.reflayer.tensors import to_tensors

TEXT_TOKENS = 16
LATENT_CHANNELS = 16
START_LOG_VARIANCE = -6.0
KL_WEIGHT = 1e-4


@dataclass(frozen=True, slots=True)
class ScratchConfig:
    """Sizes of the tiny parts. Defaults: 6.5 million parameters in the transformer, 1 million in the autoencoder."""

    heads: int = 4
    head_dim: int = 48
    blocks: int = 5
    vae_widths: tuple[int, ...] = (16, 32, 64, 64)
    """One width per resolution; four make latents eight times smaller than pictures, as in SD3."""
    text_dim: int = 32
    vae_steps: int = 2000
    vae_batch_size: int = 8
    vae_lr: float = 1e-3
    shift: float = 1.0
    """Of the noise schedule; SD3's 3 is for 1024 px."""


def scratch_sd3(config: ScratchConfig, seed: int) -> StableDiffusion3Pipeline:
    """An SD3 pipeline without T5 and with random weights; the same seed gives the same weights."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = byte_tokenizer()
        text_config = CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=config.text_dim,
            intermediate_size=2 * config.text_dim,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=TEXT_TOKENS,
            projection_dim=config.text_dim,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * len(config.vae_widths),
            up_block_types=("UpDecoderBlock2D",) * len(config.vae_widths),
            block_out_channels=config.vae_widths,
            layers_per_block=1,
            latent_channels=LATENT_CHANNELS,
            norm_num_groups=8,
            use_quant_conv=False,
            use_post_quant_conv=False,
            scaling_factor=1.5305,
            shift_factor=0.0609,
        )
        _narrow(vae)
        return StableDiffusion3Pipeline(
            transformer=SD3Transformer2DModel(
                sample_size=32,
                num_layers=config.blocks,
                attention_head_dim=config.head_dim,
                num_attention_heads=config.heads,
                joint_attention_dim=2 * config.text_dim,
                caption_projection_dim=config.heads * config.head_dim,
                pooled_projection_dim=2 * config.text_dim,
                qk_norm="rms_norm",
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=config.shift),
            vae=vae,
            text_encoder=CLIPTextModelWithProjection(text_config),
            tokenizer=tokenizer,
            text_encoder_2=CLIPTextModelWithProjection(text_config),
            tokenizer_2=byte_tokenizer(),
            text_encoder_3=None,
            tokenizer_3=None,
        )


@torch.no_grad()
def _narrow(vae: Any) -> None:
    """Start the posterior with a small spread: a random one has a variance of about 1, which drowns the picture."""
    last = vae.encoder.conv_out
    last.weight[LATENT_CHANNELS:] = 0
    last.bias[LATENT_CHANNELS:] = START_LOG_VARIANCE


def byte_tokenizer() -> Any:
    """CLIP's tokenizer with bytes for words: no merges, so nothing has to be learned or downloaded."""
    from transformers import CLIPTokenizer

    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [256 + place for place in range(256 - len(plain))]
    letters = [chr(code) for code in sorted(plain) + rest]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
        Path(folder, "merges.txt").write_text("#version: 0.2\n")
        return CLIPTokenizer(
            str(Path(folder, "vocab.json")), str(Path(folder, "merges.txt")), model_max_length=TEXT_TOKENS
        )


def fit_autoencoder(
    vae: Any,
    examples: Examples,
    config: ScratchConfig,
    size_px: int,
    seed: int,
    on_progress: Callable[[int, int, float], None] = lambda done, total, loss: None,
) -> None:
    """Teach the autoencoder sources, canvases and targets, then set its shift and scale so latents have mean 0, std 1.

    Two thirds of each batch are sources, the rest canvases and targets by turns.
    """
    rng = np.random.default_rng([seed, 0xAE])
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(vae.parameters(), lr=config.vae_lr, weight_decay=0.0)
    for step in range(config.vae_steps):
        pictures = _pictures(examples, config.vae_batch_size, size_px, rng).to(vae.device)
        posterior = vae.encode(pictures).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator).to(vae.device)
        rebuilt = vae.decode(posterior.mean + posterior.std * noise).sample
        loss = F.l1_loss(rebuilt, pictures) + _edges(rebuilt - pictures) + KL_WEIGHT * posterior.kl().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = config.vae_lr * (1 - step / config.vae_steps)
        optimiser.step()
        on_progress(step + 1, config.vae_steps, float(loss.detach()))
    with torch.no_grad():
        latents = vae.encode(_pictures(examples, 32, size_px, rng).to(vae.device)).latent_dist.mean
    vae.register_to_config(shift_factor=float(latents.mean()), scaling_factor=float(1 / latents.std()))


def _edges(difference: Tensor) -> Tensor:
    across, down = difference[..., :, 1:] - difference[..., :, :-1], difference[..., 1:, :] - difference[..., :-1, :]
    return 0.5 * (across.abs().mean() + down.abs().mean())


def _pictures(examples: Examples, count: int, size_px: int, rng: np.random.Generator) -> Tensor:
    from training.reflayer.canvas_colour import lay_on_canvas

    rows = []
    for number in range(count):
        tensors = to_tensors(examples[int(rng.integers(len(examples)))], size_px, size_px)
        target = lay_on_canvas(tensors["rgb"], tensors["alpha"])
        rows.append(target if number % 6 == 2 else tensors["canvas"] if number % 6 == 5 else tensors["source"])
    return torch.stack(rows)
