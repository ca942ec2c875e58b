"""Low-rank training of the transformer (Hu et al. 2021) through peft; what injects the conditions trains in full."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusion3Pipeline

from training.reflayer.network import RefLayerNetwork

TARGETS = (
    "to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out", "net.0.proj", "net.2",
)  # fmt: skip
"""Attention of picture and text, and the feed-forward layers of both."""


@dataclass(frozen=True, slots=True)
class LoRAConfig:
    rank: int = 64
    alpha: int = 64


def add_lora(network: RefLayerNetwork, config: LoRAConfig, seed: int) -> None:
    """Freeze the transformer and add adapters that change nothing yet; injector and patch embedding keep learning."""
    from peft import LoraConfig

    network.transformer.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network.transformer.add_adapter(
            LoraConfig(
                r=config.rank, lora_alpha=config.alpha, target_modules=list(TARGETS), init_lora_weights="gaussian"
            )
        )
    network.injector.requires_grad_(True)
    if network.injector.conv is None:
        network.transformer.pos_embed.proj.to(torch.float32).requires_grad_(True)


def save_lora(network: RefLayerNetwork, folder: Path) -> None:
    """The adapters alone, in the file that diffusers' ``load_lora_weights`` reads."""
    from peft import get_peft_model_state_dict

    layers: Any = get_peft_model_state_dict(network.transformer)
    StableDiffusion3Pipeline.save_lora_weights(folder, transformer_lora_layers=layers)


def merge_lora(network: RefLayerNetwork) -> None:
    """Add the adapters into the transformer's own weights and take them off."""
    network.transformer.fuse_lora()
    network.transformer.unload_lora()
