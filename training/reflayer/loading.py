"""Loading any checkpoint of this project by its folder: one table of pipeline classes, clear errors."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusion3Pipeline

from training.reflayer import checkpoint
from training.reflayer.alpha_decoder import AlphaDecoder, AlphaDecoderConfig
from training.reflayer.checkpoint import BrokenCheckpoint
from training.reflayer.injector import InjectorConfig
from training.reflayer.latent_offset import LatentOffsetEncoder
from training.reflayer.network import Transparency, from_sd3
from training.reflayer.pipeline import RefLayerPipeline

PIPELINES = {
    "RefLayerPipeline": "training.reflayer.pipeline",
    "RefLayerTinyPipeline": "training.reflayer.tiny.pipeline",
}


def load_pipeline(folder: Path | str, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """The pipeline a folder holds; ``RefLayerPipeline`` on the device, the small one always on the CPU.

    Nothing is downloaded and only safetensors are read.

    Raises ``BrokenCheckpoint`` (code ``broken_checkpoint``) for a wrong folder, a damaged or missing file, tensors
    that are missing or not finite.
    """
    folder = Path(folder)
    kind = checkpoint.read_index(folder)["_class_name"]
    if kind not in PIPELINES:
        raise BrokenCheckpoint(f"{folder} holds a {kind}; known are {', '.join(PIPELINES)}")
    pipeline_class = getattr(import_module(PIPELINES[kind]), kind)
    if pipeline_class is not RefLayerPipeline:
        return _loaded(pipeline_class, folder)
    pipeline = _loaded(RefLayerPipeline, folder, local_files_only=True, use_safetensors=True, dtype=dtype)
    checkpoint.check_whole(pipeline, folder)
    return pipeline.to(device)


def load_base(folder: Path | str, with_t5: bool = True) -> StableDiffusion3Pipeline:
    """An SD3-format folder to start from. Raises ``BrokenCheckpoint``."""
    folder = Path(folder)
    index = checkpoint.read_index(folder)
    kind = index["_class_name"]
    if kind != "StableDiffusion3Pipeline":
        raise BrokenCheckpoint(f"{folder} holds a {kind}, not a StableDiffusion3Pipeline to start from")
    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}
    if not with_t5 or index.get("text_encoder_3", [None])[0] is None:
        options |= {"text_encoder_3": None, "tokenizer_3": None}
    pipeline: StableDiffusion3Pipeline = _loaded(StableDiffusion3Pipeline, folder, **options)
    checkpoint.check_whole(pipeline, folder)
    return pipeline


def _loaded(pipeline_class: Any, folder: Path, **options: Any) -> Any:
    for weights in sorted(folder.glob("*/*.safetensors")):
        checkpoint.weight_names(weights.parent)
    try:
        with checkpoint.quietly():
            return pipeline_class.from_pretrained(folder, **options)
    except BrokenCheckpoint:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise BrokenCheckpoint(f"{folder} cannot be loaded: {first}") from error


def from_base(
    base: StableDiffusion3Pipeline,
    injector: InjectorConfig,
    alpha_decoder: AlphaDecoderConfig,
    transparency: Transparency,
    canvas_colour: float,
    resolution: int,
    offset_gain: float = 300.0,
) -> RefLayerPipeline:
    """RefLayer around an SD3 pipeline: at step 0 the network answers exactly as the base does."""
    network = from_sd3(base.transformer, injector, transparency)
    offset = None
    if transparency == "latent_offset":
        halvings = len(base.vae.config.block_out_channels) - 1
        widths = tuple(min(256, 32 * 2**level) for level in range(halvings + 1))
        offset = LatentOffsetEncoder(base.vae.config.latent_channels, widths, offset_gain)
    return RefLayerPipeline(
        transformer=network.transformer,
        injector=network.injector,
        alpha_decoder=AlphaDecoder.from_vae(base.vae, alpha_decoder, transparency),
        vae=base.vae,
        scheduler=base.scheduler,
        text_encoder=base.text_encoder,
        tokenizer=base.tokenizer,
        text_encoder_2=base.text_encoder_2,
        tokenizer_2=base.tokenizer_2,
        text_encoder_3=base.text_encoder_3,
        tokenizer_3=base.tokenizer_3,
        offset_encoder=offset,
        transparency=transparency,
        canvas_colour=canvas_colour,
        resolution=resolution,
        t5_tokens=256 if base.text_encoder_3 is not None or base.transformer.config.joint_attention_dim >= 4096 else 0,
    )
