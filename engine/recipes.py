"""Named pipelines as functions: an ordered choice of backend and parameters for each of the six stages.

A run stores its whole recipe as JSON, so a later change here never changes what an old run did.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import registry, weights_folder
from engine.imaging import sha256
from engine.records import STAGES
from engine.vocabulary import NOUNS


class UnknownRecipe(LookupError):
    code = "unknown_recipe"


class InvalidRecipe(ValueError):
    code = "invalid_recipe"


@dataclass(frozen=True, slots=True)
class StageSpec:
    stage: str
    backend: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Six stages in their fixed order. Raises ``InvalidRecipe`` or ``UnknownBackend`` when it is not."""

    name: str
    stages: tuple[StageSpec, ...]

    def __post_init__(self) -> None:
        order = tuple(spec.stage for spec in self.stages)
        if order != STAGES:
            raise InvalidRecipe(f"a recipe has the stages {', '.join(STAGES)} in this order; got {order}")
        for spec in self.stages:
            registry.find(spec.stage, spec.backend)

    @property
    def queue(self) -> str:
        """``gpu`` as soon as one stage needs it: a batch stays with one worker through all stages."""
        queues = {registry.find(spec.stage, spec.backend).queue for spec in self.stages}
        return "gpu" if "gpu" in queues else "cpu"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def with_checkpoint(self, name: str) -> Recipe:
        """The same with another checkpoint in every stage that has one; with ``""`` it is unchanged."""
        if not name:
            return self
        stages = (
            replace(spec, params={**spec.params, "checkpoint": name}) if "checkpoint" in spec.params else spec
            for spec in self.stages
        )
        return replace(self, stages=tuple(stages))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        try:
            stages = tuple(StageSpec(**row) for row in data["stages"])
            return cls(name=str(data["name"]), stages=stages)
        except (KeyError, TypeError) as error:
            raise InvalidRecipe(f"not a recipe: {error}") from error

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON: equal digests do the same to the same picture and seed."""
        return sha256(json.dumps(self.to_json(), sort_keys=True, separators=(",", ":")).encode())


def cpu() -> Recipe:
    """No learned weights, no GPU: given prompts where a picture has them, classical proposals elsewhere."""
    given = {"rounds": 4, "margin": 0.35, "working_px": 256, "border": 2.0, "steps": 60}
    classical = {
        "working_px": 384,
        "max_proposals": 6,
        "min_area_share": 0.005,
        "max_area_share": 0.75,
        "min_solidity": 0.35,
    }
    return Recipe(
        "cpu",
        (
            StageSpec(
                "prefilter",
                "rules",
                {
                    "min_side_px": 256,
                    "max_aspect": 3.0,
                    "min_sharpness": 30.0,
                    "sharpness_side_px": 512,
                    "max_clipped": 0.6,
                    "min_entropy": 4.0,
                    "max_strip": 0.06,
                },
            ),
            StageSpec("scene", "given_first", {"given": given, "classical": classical}),
            StageSpec(
                "completion", "classical", {"ring_share": 0.012, "max_growth": 5.0, "rim_px": 2, "working_px": 512}
            ),
            StageSpec(
                "postprocess",
                "closed_form",
                {
                    "band_share": 0.015,
                    "min_band_px": 3.0,
                    "max_band_px": 24.0,
                    "margin_share": 0.1,
                    "working_px": 768,
                },
            ),
            StageSpec(
                "prompts",
                "templates",
                {
                    "max_points": 3,
                    "deep_share": 0.3,
                    "box_jitter": 0.05,
                    "max_box_jitter": 0.15,
                    "min_box_iou": 0.7,
                },
            ),
            StageSpec(
                "postfilter",
                "rules",
                {
                    "max_recomposition_error": 0.12,
                    "min_area_px": 64.0,
                    "min_main_part_share": 0.5,
                    "max_soft_share": 0.8,
                    "max_amodal_ratio": 5.0,
                    "max_background_hole_share": 0.9,
                },
            ),
        ),
    )


def cpu_auto() -> Recipe:
    """Like ``cpu`` but never looks at given prompts: what automatic proposals without weights are worth."""
    stages = tuple(
        StageSpec("scene", "classical", spec.params["classical"]) if spec.stage == "scene" else spec
        for spec in cpu().stages
    )
    return Recipe("cpu_auto", stages)


def reflayer_tiny() -> Recipe:
    """Like ``cpu`` with hidden parts and backgrounds by the small network that ships: learned, no download, no GPU. On
    composites it finds less of what is hidden than ``cpu``."""
    learned = StageSpec(
        "completion",
        "reflayer_tiny",
        {"checkpoint": "reflayer-tiny", "steps": 0, "max_growth": 5.0, "ring_share": 0.012, "batch": 8},
    )
    stages = tuple(learned if spec.stage == "completion" else spec for spec in cpu().stages)
    return Recipe("reflayer_tiny", stages)


def permissive() -> Recipe:
    """Networks under clean licences: RF-DETR, Grounding DINO, OWLv2, SAM 2.1, Qwen3-VL, LaMa, FLUX.2 klein, ViTMatte.
    Given prompts are used where a picture has them."""
    language = {"network": "qwen_vl", "weights": "qwen3_vl_8b"}
    grounding = {"network": "grounding_dino", "weights": "grounding_dino_base"}
    segmenter = {"network": "sam2", "weights": "sam2_1_large"}
    agreement = {"network": "open_clip", "weights": "clip_vit_b_32"}
    features = {"network": "dinov2", "weights": "dinov2_base"}
    detectors: list[dict[str, Any]] = [
        {"network": "rf_detr", "weights": "rf_detr_seg_large"},
        {"network": "language_locator", "language": language},
        grounding,
        {"network": "owlv2", "weights": "owlv2_base"},
    ]
    inpainter = {"network": "diffusers_inpaint", "weights": "flux2_klein_4b"}
    return _with_networks("permissive", detectors, segmenter, grounding, language, agreement, features, inpainter)


def quality() -> Recipe:
    """As permissive, with SAM 3 (gated) for names and masks and Qwen-Image-Edit for completion, on an 80 GB device."""
    language = {"network": "qwen_vl", "weights": "qwen3_vl_8b"}
    sam3 = {"network": "sam3", "weights": "sam3"}
    segmenter = {"network": "sam2", "weights": "sam2_1_large"}
    agreement = {"network": "open_clip", "weights": "clip_vit_b_32"}
    features = {"network": "dinov2", "weights": "dinov2_base"}
    detectors: list[dict[str, Any]] = [
        {"network": "rf_detr", "weights": "rf_detr_seg_large"},
        {"network": "language_locator", "language": language},
        sam3,
    ]
    inpainter = {"network": "diffusers_inpaint", "weights": "qwen_image_edit"}
    return _with_networks("quality", detectors, segmenter, sam3, language, agreement, features, inpainter)


def _with_networks(
    name: str,
    detectors: list[dict[str, Any]],
    segmenter: dict[str, Any],
    locator: dict[str, Any],
    language: dict[str, Any],
    agreement: dict[str, Any],
    features: dict[str, Any],
    inpainter: dict[str, Any],
) -> Recipe:
    """The networks named, everything else as the backends' defaults say today, written out."""
    rules, templates = (cpu().stages[k].params for k in (5, 4))
    return Recipe(
        name,
        (
            cpu().stages[0],
            StageSpec(
                "scene",
                "ensemble",
                {
                    "detectors": detectors,
                    "segmenter": segmenter,
                    "depth": {"network": "depth_anything", "weights": "depth_anything_v2_small"},
                    "agreement": agreement,
                    "order": language,
                    "vocabulary": list(NOUNS),
                    "nouns": 20,
                    "least_score": 0.55,
                    "least_area_share": 0.0005,
                    "max_area_share": 0.8,
                    "most": 50,
                    "curves": {},
                },
            ),
            StageSpec(
                "completion",
                "generative",
                {
                    "inpainter": inpainter,
                    "structure": {"network": "lama", "weights": "big_lama"},
                    "refine": None,
                    "segmenter": segmenter,
                    "detector": locator,
                    "agreement": agreement,
                    "features": features,
                    "objects": {
                        "reach": 0.35,
                        "margin": 0.25,
                        "native_px": 768,
                        "least_crop_px": 256,
                        "grow_share": 0.025,
                        "candidates": 2,
                        "max_growth": 5.0,
                        "agreement": 0.9,
                        "min_similarity": 0.5,
                    },
                    "background": {
                        "ring_share": 0.015,
                        "wider_ring_share": 0.04,
                        "refine_above": 0.1,
                        "max_leak": 0.35,
                    },
                },
            ),
            StageSpec(
                "postprocess",
                "matting",
                {
                    "matter": {"network": "vitmatte", "weights": "vitmatte_small"},
                    "band_share": 0.015,
                    "min_band_px": 4.0,
                    "max_band_px": 24.0,
                    "margin_share": 0.2,
                    "working_px": 1024,
                    "least_iou": 0.85,
                },
            ),
            StageSpec(
                "prompts",
                "captioned",
                {**templates, "language": language, "locator": locator, "least_iou": 0.6, "rival_share": 0.5},
            ),
            StageSpec(
                "postfilter",
                "scored",
                {
                    **rules,
                    "max_background_hole_share": 0.6,
                    "agreement": agreement,
                    "features": features,
                    "detector": locator,
                    "language": language,
                    "least_label_margin": -0.1,
                    "least_similarity": 0.2,
                    "most_leak": 0.6,
                    "combination": fitted_postfilter(),
                },
            ),
        ),
    )


def fitted_postfilter_file() -> Path:
    """Where ``fit_postfilter --use`` puts its combination: beside the weights, for it is one."""
    return weights_folder.root() / "postfilter.json"


def fitted_postfilter() -> dict[str, Any] | None:
    """The combination in use, which becomes part of the recipe; ``None`` before any was fitted."""
    path = fitted_postfilter_file()
    if not path.is_file():
        return None
    document: dict[str, Any] = json.loads(path.read_text())
    return {name: document[name] for name in ("weights", "means", "scales", "bias", "limit")}


RECIPES: dict[str, Callable[[], Recipe]] = {
    "cpu": cpu,
    "cpu_auto": cpu_auto,
    "reflayer_tiny": reflayer_tiny,
    "permissive": permissive,
    "quality": quality,
}


def find(name: str) -> Recipe:
    """The named recipe. Raises ``UnknownRecipe`` that lists what exists."""
    if name not in RECIPES:
        raise UnknownRecipe(f"unknown recipe '{name}'; have: {', '.join(sorted(RECIPES))}")
    return RECIPES[name]()
