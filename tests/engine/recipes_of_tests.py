"""Parameters that let tiny random networks find something, and keep their work short."""

from __future__ import annotations

import atexit
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from engine.stages.completion.objects import Limits

DETECTORS = (
    {"network": "rf_detr", "threshold": 0.0, "most": 6},
    {"network": "grounding_dino", "threshold": 0.0, "most": 6},
)
LANGUAGE = {"network": "qwen_vl", "most_tokens": 3, "batch": 64}
TINY: dict[tuple[str, str], dict[str, Any]] = {
    ("scene", "ensemble"): {
        "detectors": DETECTORS,
        "least_score": 0.0,
        "vocabulary": ("cup", "cat"),
        "max_area_share": 1,
    },
    ("completion", "generative"): {
        "inpainter": {"network": "diffusers_inpaint", "steps": 1},
        "refine": {"network": "diffusers_inpaint", "weights": "sdxl_inpaint", "steps": 2, "strength": 0.6},
        "objects": asdict(Limits(native_px=32, least_crop_px=32, candidates=1, agreement=0.0, max_growth=50.0)),
    },
    ("prompts", "captioned"): {"language": LANGUAGE},
    ("postfilter", "scored"): {"language": LANGUAGE},
}


@cache
def _reflayer_checkpoint() -> str:
    """A RefLayer of SD3's shape with random weights; the folder goes with the process."""
    from tests.training.reflayer import small
    from training.reflayer.card import Card
    from training.reflayer.checkpoint import save_pipeline

    holder = tempfile.TemporaryDirectory()
    atexit.register(holder.cleanup)
    folder = Path(holder.name, "checkpoint")
    save_pipeline(small.pipeline(), folder, Card("test", "", "", "", {}, ""))
    return str(folder)


def tiny_params(stage: str, name: str) -> dict[str, Any]:
    if name == "reflayer":
        return {"checkpoint": _reflayer_checkpoint(), "steps": 1}
    return TINY.get((stage, name), {})
