"""The table of networks: what a backend of a stage may put to work, where its code is, what it needs.

A backend names a network in its parameters as ``{"network": name, ...}``; further keys are parameters of the network,
``weights`` among them where other weights than the row's are wanted. So a recipe's JSON says all networks it uses, and
their licences can be checked without importing one. To add one: the file, the row, a tiny one for the tests in
``tests/engine/tiny_networks``, then ``pytest tests/engine/test_network_contract.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

from engine import weights
from engine.on_demand import OnDemand
from engine.recipes import Recipe

Spec = Mapping[str, Any]


class Role(StrEnum):
    """What a network does for a stage; ``engine.stages.roles`` says how each is called."""

    DETECTOR = "detector"
    SEGMENTER = "segmenter"
    DEPTH = "depth"
    LANGUAGE = "language"
    INPAINTER = "inpainter"
    MATTER = "matter"
    AGREEMENT = "agreement"
    FEATURES = "features"


@dataclass(frozen=True, slots=True)
class NetworkRow:
    role: Role
    name: str
    path: str
    """``module:Class``; the class takes ``weights`` and keyword parameters of JSON values."""
    summary: str
    weights: str = ""
    """Of ``engine.weights``; empty for none, as with an endpoint."""
    memory_mb: int = 0
    """On the device in bfloat16 at the usual sizes, about; what ``engine.residency`` counts."""


NETWORKS: tuple[NetworkRow, ...] = (
    NetworkRow(
        Role.DETECTOR,
        "rf_detr",
        "engine.stages.scene.rf_detr:RfDetr",
        "RF-DETR Seg: COCO's classes, with masks",
        "rf_detr_seg_large",
        1500,
    ),
    NetworkRow(
        Role.DETECTOR,
        "grounding_dino",
        "engine.stages.scene.grounding_dino:GroundingDino",
        "Grounding DINO: boxes for phrases",
        "grounding_dino_base",
        3000,
    ),
    NetworkRow(
        Role.DETECTOR, "owlv2", "engine.stages.scene.owlv2:Owlv2", "OWLv2: boxes for phrases", "owlv2_base", 2500
    ),
    NetworkRow(
        Role.DETECTOR, "sam3", "engine.stages.scene.sam3:Sam3", "SAM 3: boxes and masks for phrases", "sam3", 4500
    ),
    NetworkRow(
        Role.DETECTOR,
        "language_locator",
        "engine.stages.scene.language_locator:LanguageLocator",
        "Objects that a language network names and locates",
    ),
    NetworkRow(
        Role.SEGMENTER,
        "segment_anything",
        "engine.stages.scene.segment_anything:SegmentAnything",
        "Segment Anything by its authors' package: masks for boxes and points",
        "sam_vit_b",
        3000,
    ),
    NetworkRow(
        Role.SEGMENTER,
        "sam2",
        "engine.stages.scene.sam2:Sam2",
        "SAM 2.1: masks for boxes and points",
        "sam2_1_large",
        3000,
    ),
    NetworkRow(
        Role.DEPTH,
        "depth_anything",
        "engine.stages.scene.depth_anything:DepthAnything",
        "Depth Anything V2: relative depth",
        "depth_anything_v2_small",
        800,
    ),
    NetworkRow(
        Role.LANGUAGE, "qwen_vl", "engine.language.qwen_vl:QwenVL", "Qwen-VL in this process", "qwen3_vl_8b", 19000
    ),
    NetworkRow(
        Role.LANGUAGE,
        "openai_endpoint",
        "engine.language.endpoint:OpenAIEndpoint",
        "Any server that speaks OpenAI's chat completions",
    ),
    NetworkRow(
        Role.INPAINTER, "lama", "engine.stages.completion.lama:Lama", "LaMa: structure behind things", "big_lama", 3000
    ),
    NetworkRow(
        Role.INPAINTER,
        "diffusers_inpaint",
        "engine.stages.completion.diffusers_inpaint:DiffusersInpaint",
        "Inpainting by diffusion: SDXL, SD3, FLUX.1 Fill, FLUX.2 klein, Qwen-Image-Edit, as the weights are",
        "flux2_klein_4b",
        16000,
    ),
    NetworkRow(
        Role.MATTER, "vitmatte", "engine.stages.postprocess.vitmatte:VitMatte", "ViTMatte", "vitmatte_small", 4000
    ),
    NetworkRow(
        Role.MATTER,
        "birefnet",
        "engine.stages.postprocess.birefnet.matter:BiRefNetMatter",
        "BiRefNet: matting without a trimap, of one object on grey",
        "birefnet_matting",
        3500,
    ),
    NetworkRow(
        Role.MATTER,
        "pymatting",
        "engine.stages.postprocess.pymatting_matter:PyMatting",
        "Matting without weights: closed form, KNN, large kernel",
    ),
    NetworkRow(
        Role.AGREEMENT,
        "open_clip",
        "engine.stages.postfilter.open_clip_agreement:OpenClipAgreement",
        "CLIP by open_clip: how far a picture agrees with words",
        "clip_vit_b_32",
        1000,
    ),
    NetworkRow(
        Role.FEATURES,
        "dinov2",
        "engine.stages.postfilter.dinov2_features:DinoV2Features",
        "DINOv2: whether two pictures show one thing",
        "dinov2_base",
        800,
    ),
)


class UnknownNetwork(LookupError):
    code = "unknown_network"


def find(name: str) -> NetworkRow:
    """The row of a network. Raises ``UnknownNetwork`` that lists what exists."""
    rows = {row.name: row for row in NETWORKS}
    if name not in rows:
        raise UnknownNetwork(f"unknown network '{name}'; have: {', '.join(sorted(rows))}")
    return rows[name]


def make(spec: Spec) -> Any:
    """Import the network of a spec; ``load`` sees whether its weights are there, the first call reads them."""
    row = find(spec["network"])
    module_name, _, class_name = row.path.partition(":")
    params = {name: value for name, value in spec.items() if name != "network"}
    network_class = getattr(import_module(module_name), class_name)
    if not row.weights:
        return network_class(**params)
    return OnDemand(network_class, {"weights": row.weights, **params}, row.memory_mb)


def specs_in(params: Any) -> Iterator[Spec]:
    """Every network spec inside JSON parameters, however deep."""
    if isinstance(params, Mapping):
        if "network" in params:
            yield params
        for value in params.values():
            yield from specs_in(value)
    elif isinstance(params, (list, tuple)):
        for value in params:
            yield from specs_in(value)


def weights_of(recipe: Recipe) -> list[str]:
    """Names of all weights that a recipe needs, in the order of its stages, each once."""
    specs = [spec for stage in recipe.stages for spec in specs_in(stage.params)]
    names = [spec.get("weights") or find(spec["network"]).weights for spec in specs]
    return list(dict.fromkeys(name for name in names if name))


def users_of(weights_name: str) -> list[str]:
    """Names of the networks that use some weights unless told otherwise."""
    return [row.name for row in NETWORKS if row.weights == weights_name]


def require_commercial_safe(recipe: Recipe) -> None:
    """Raise ``LicenceForbids`` with the reason when some weights of a recipe forbid commercial use."""
    for name in weights_of(recipe):
        weights.require_commercial_safe(weights.find(name))
