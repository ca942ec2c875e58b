"""Networks that look at finished layers: matting, agreement, features."""

from __future__ import annotations

import json
from pathlib import Path

IMAGE_MEAN, IMAGE_STD = [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]


def vitmatte(place: Path) -> None:
    from transformers import VitMatteConfig, VitMatteForImageMatting, VitMatteImageProcessor

    config = VitMatteConfig(
        backbone_config={
            "model_type": "vitdet",
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_channels": 4,
            "image_size": 64,
            "pretrain_image_size": 64,
            "patch_size": 16,
            "out_features": ["stage1"],
        },
        hidden_size=16,
        convstream_hidden_sizes=[4, 8, 8],
        fusion_hidden_sizes=[16, 8, 8, 4],
    )
    VitMatteForImageMatting(config).save_pretrained(place)
    VitMatteImageProcessor(size_divisor=32).save_pretrained(place)


def birefnet(place: Path) -> None:
    """Names of the tensors as published; sizes are read from their shapes."""
    from safetensors.torch import save_file

    from engine.stages.postprocess.birefnet.network import BiRefNet
    from engine.stages.postprocess.birefnet.swin import Swin

    network = BiRefNet(Swin(4, depths=[2, 2, 2, 2], heads=[1, 1, 2, 2], window=4), 4)
    save_file(network.state_dict(), place / "model.safetensors")


def open_clip(place: Path) -> None:
    """The configuration beside the weights, as open_clip publishes them; its own words ship with the package."""
    from open_clip import CLIP
    from safetensors.torch import save_file

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 16},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    document = {
        "model_cfg": config,
        "preprocess_cfg": {"mean": IMAGE_MEAN, "std": IMAGE_STD},
    }
    (place / "open_clip_config.json").write_text(json.dumps(document))
    save_file(CLIP(**config).state_dict(), place / "open_clip_model.safetensors")


def dinov2(place: Path) -> None:
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    config = Dinov2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14)
    Dinov2Model(config).save_pretrained(place)
    BitImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}).save_pretrained(place)
