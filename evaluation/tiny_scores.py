"""One composite's answers, of the network and of every baseline, against its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.composites.generator import Composite, TrueLayer
from engine.imaging import iou, union
from engine.records import Mask, Picture, Prompt, PromptKind, RGBALayer
from evaluation import tiny_baselines
from evaluation.baselines import telea_background
from evaluation.composite_prompts import asked
from evaluation.reflayer_tiny_table import OURS
from training.reflayer.tiny.pipeline import RefLayerTinyPipeline

LEAST_HIDDEN = 0.05


@dataclass(frozen=True, slots=True)
class Score:
    """One answer of one method to one prompt of one composite."""

    seed: int
    kind: str
    method: str
    occlusion: float
    visible_iou: float
    amodal_iou: float
    mae: float
    hidden_recall: float | None
    visible_colour: float
    hidden_colour: float | None


@dataclass(frozen=True, slots=True)
class BackgroundScore:
    seed: int
    method: str
    hole_error: float


def score(seed: int, kind: str, method: str, true: TrueLayer, layer: RGBALayer) -> Score:
    """One predicted layer against the true one."""
    truth = true.layer
    hidden = truth.amodal_hw & ~truth.visible_hw
    error = np.abs(layer.rgba_hwc[..., :3].astype(np.float32) - truth.rgba_hwc[..., :3]).mean(-1) / 255
    return Score(
        seed,
        kind,
        method,
        true.occlusion,
        float(iou(layer.visible_hw, truth.visible_hw)),
        float(iou(layer.amodal_hw, truth.amodal_hw)),
        float(np.abs(layer.alpha_hw - truth.alpha_hw).mean(dtype=float)),
        float(layer.amodal_hw[hidden].mean()) if hidden.any() else None,
        float(error[truth.visible_hw].mean()),
        float(error[hidden].mean()) if true.occlusion >= LEAST_HIDDEN else None,
    )


def network_scores(made: Composite, pipeline: RefLayerTinyPipeline) -> tuple[list[Score], list[BackgroundScore]]:
    """The network's answers to all prompts for one composite, and its backgrounds."""
    true, prompts = asked(made)
    source, hole = made.source_hwc, _hole(made)
    layers = {kind: _layer(pipeline, source, prompt) for kind, prompt in prompts.items()}
    backgrounds = {
        "masks_given": _layer(pipeline, source, Prompt(PromptKind.BACKGROUND, mask_hw=hole)),
        "no_prompt": _layer(pipeline, source, Prompt(PromptKind.BACKGROUND)),
    }
    return (
        [score(made.seed, kind, OURS, true, layer) for kind, layer in layers.items()],
        [_background_score(made, method, layer.rgba_hwc[..., :3]) for method, layer in backgrounds.items()],
    )


def baseline_scores(made: Composite) -> tuple[list[Score], list[BackgroundScore]]:
    """Every baseline's answers to the same prompts, and backgrounds."""
    true, prompts = asked(made)
    layers = [
        score(made.seed, kind, method, true, layer)
        for kind, prompt in prompts.items()
        for method, layer in tiny_baselines.of_prompt(made.source_hwc, prompt, made.seed).items()
    ]
    masks = tuple(true.layer.visible_hw for true in made.layers)
    recipes = tiny_baselines.Recipe().background(made.source_hwc, masks, made.seed)
    pictures = {
        "telea": telea_background(made.source_hwc, _hole(made)),
        "cpu": made.source_hwc if recipes is None else recipes,
        "nothing": made.source_hwc,
    }
    return layers, [_background_score(made, method, picture) for method, picture in pictures.items()]


def _hole(made: Composite) -> Mask:
    return union((true.layer.amodal_hw for true in made.layers), *made.source_hwc.shape[:2])


def _background_score(made: Composite, method: str, picture_hwc: Picture) -> BackgroundScore:
    hole = _hole(made)
    error = np.abs(picture_hwc[hole] - made.background_hwc[hole].astype(np.float32)).mean()
    return BackgroundScore(made.seed, method, float(error / 255))


def _layer(pipeline: RefLayerTinyPipeline, source: Picture, prompt: Prompt) -> RGBALayer:
    layer = pipeline(source, prompt)
    assert isinstance(layer, RGBALayer)
    return layer
