"""Tiny random networks, saved in the same files as the real ones: tests run the true loading and the true path.

``build(name, root)`` writes the folder ``root/name`` that ``fetch_weights`` would make. Seeded: always the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from engine.torchvision_guard import install
from tests.engine.tiny_networks import completion, language, layers, scene

install()

BUILDERS: dict[str, Callable[[Path], None]] = {
    "rf_detr_seg_large": scene.rf_detr,
    "grounding_dino_base": scene.grounding_dino,
    "owlv2_base": scene.owlv2,
    "sam3": scene.sam3,
    "sam2_1_large": scene.sam2,
    "sam_vit_b": scene.segment_anything,
    "depth_anything_v2_small": scene.depth_anything,
    "qwen3_vl_8b": language.qwen3_vl,
    "qwen2_5_vl_7b": language.qwen2_5_vl,
    "big_lama": completion.lama,
    "sd3_5_medium": completion.sd3,
    "sdxl_inpaint": completion.sdxl,
    "flux2_klein_4b": completion.flux2_klein,
    "flux1_fill": completion.flux1_fill,
    "qwen_image_edit": completion.qwen_image_edit,
    "vitmatte_small": layers.vitmatte,
    "birefnet_matting": layers.birefnet,
    "clip_vit_b_32": layers.open_clip,
    "dinov2_base": layers.dinov2,
}


def build(name: str, root: Path) -> Path:
    place = root / name
    if not place.exists():
        place.mkdir(parents=True)
        torch.manual_seed(sum(name.encode()))
        BUILDERS[name](place)
    return place
