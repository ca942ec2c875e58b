"""The table of weights: what exists, where it comes from, what it costs, what its licence allows.

Rows are data, read without importing torch or the Hub's client. ``revision`` is ``None`` where no commit is pinned
here: ``fetch_weights`` then takes the commit that the Hub names at that moment and pins *that* in a lock file beside
the weights (``engine.weights_folder``), with the sha256 of every file; later runs hold to the lock. ``sha256`` is
filled only where a digest is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class LicenceClass(StrEnum):
    PERMISSIVE = "permissive"
    """Apache-2.0, MIT and the like."""
    CONDITIONAL = "conditional"
    """Commercial use is allowed under conditions: revenue limits, use restrictions, terms to pass on."""
    NON_COMMERCIAL = "non-commercial"


@dataclass(frozen=True, slots=True)
class WeightsRow:
    name: str
    source: str
    """``owner/name`` on the Hub, or the ``https`` address of one file."""
    licence: str
    licence_class: LicenceClass
    size_mb: int
    """About, for planning; ``weights`` shows the true size of what is there."""
    revision: str | None = None
    files: tuple[str, ...] = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
    """Patterns of the files to take from a repository: never pickles."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """File name to published digest."""
    is_gated: bool = False
    note: str = ""
    """What else somebody who uses them should know; shown with the licence."""

    @property
    def is_single_file(self) -> bool:
        return self.source.startswith("https://")

    @property
    def is_commercial_safe(self) -> bool:
        return self.licence_class is not LicenceClass.NON_COMMERCIAL


_PIPELINE = ("*.json", "*.txt", "*.model", "*.jinja", "*/*.safetensors", "*/*.json", "*/*.txt")
"""A diffusers pipeline: the parts in their folders, not the single-file copy some repositories hold as well."""

WEIGHTS: tuple[WeightsRow, ...] = (
    WeightsRow("rf_detr_seg_large", "Roboflow/rf-detr-seg-large", "Apache-2.0", LicenceClass.PERMISSIVE, 145),
    WeightsRow(
        "mask2former_coco",
        "facebook/mask2former-swin-large-coco-instance",
        "MIT code; the card names the licence 'other'",
        LicenceClass.CONDITIONAL,
        866,
        note="read the card before commercial use",
    ),
    WeightsRow("grounding_dino_base", "IDEA-Research/grounding-dino-base", "Apache-2.0", LicenceClass.PERMISSIVE, 933),
    WeightsRow("owlv2_base", "google/owlv2-base-patch16-ensemble", "Apache-2.0", LicenceClass.PERMISSIVE, 620),
    WeightsRow(
        "sam3",
        "facebook/sam3",
        "SAM License",
        LicenceClass.CONDITIONAL,
        3400,
        is_gated=True,
        note="terms must be passed on; trade-control and no-reverse-engineering terms",
    ),
    WeightsRow(
        "sam_vit_b",
        "https://dl.fbaipublicfiles.com/segment_anything/sam_vit_b_01ec64.pth",
        "Apache-2.0",
        LicenceClass.PERMISSIVE,
        375,
        sha256={"sam_vit_b_01ec64.pth": "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912"},
    ),
    WeightsRow("sam2_1_large", "facebook/sam2.1-hiera-large", "Apache-2.0", LicenceClass.PERMISSIVE, 898),
    WeightsRow(
        "depth_anything_v2_small",
        "depth-anything/Depth-Anything-V2-Small-hf",
        "Apache-2.0",
        LicenceClass.PERMISSIVE,
        99,
    ),
    WeightsRow(
        "depth_anything_v2_large",
        "depth-anything/Depth-Anything-V2-Large-hf",
        "CC-BY-NC-4.0",
        LicenceClass.NON_COMMERCIAL,
        1340,
    ),
    WeightsRow("qwen3_vl_8b", "Qwen/Qwen3-VL-8B-Instruct", "Apache-2.0", LicenceClass.PERMISSIVE, 17500),
    WeightsRow("qwen2_5_vl_7b", "Qwen/Qwen2.5-VL-7B-Instruct", "Apache-2.0", LicenceClass.PERMISSIVE, 16600),
    WeightsRow(
        "big_lama",
        "https://github.com/Sanster/models/releases/download/add_big_lama/big-lama.pt",
        "Apache-2.0",
        LicenceClass.PERMISSIVE,
        206,
        sha256={"big-lama.pt": "344c77bbcb158f17dd143070d1e789f38a66c04202311ae3a258ef66667a9ea9"},
    ),
    WeightsRow(
        "flux2_klein_4b",
        "black-forest-labs/FLUX.2-klein-4B",
        "Apache-2.0",
        LicenceClass.PERMISSIVE,
        16000,
        files=_PIPELINE,
    ),
    WeightsRow(
        "sdxl_inpaint",
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
        "OpenRAIL++",
        LicenceClass.CONDITIONAL,
        13900,
        files=_PIPELINE,
        note="use restrictions of the OpenRAIL++ licence",
    ),
    WeightsRow(
        "sd3_5_medium",
        "stabilityai/stable-diffusion-3.5-medium",
        "Stability Community License",
        LicenceClass.CONDITIONAL,
        15800,
        files=_PIPELINE,
        is_gated=True,
        note="free below a yearly revenue limit; registration and attribution",
    ),
    WeightsRow(
        "flux1_fill",
        "black-forest-labs/FLUX.1-Fill-dev",
        "FLUX.1 [dev] Non-Commercial License",
        LicenceClass.NON_COMMERCIAL,
        34000,
        files=_PIPELINE,
        is_gated=True,
    ),
    WeightsRow(
        "qwen_image_edit", "Qwen/Qwen-Image-Edit", "Apache-2.0", LicenceClass.PERMISSIVE, 57700, files=_PIPELINE
    ),
    WeightsRow(
        "vitmatte_small",
        "hustvl/vitmatte-small-composition-1k",
        "Apache-2.0",
        LicenceClass.PERMISSIVE,
        103,
        note="trained on Composition-1k, whose pictures are for research",
    ),
    WeightsRow(
        "birefnet_matting",
        "ZhengPeng7/BiRefNet-matting",
        "MIT",
        LicenceClass.PERMISSIVE,
        890,
        files=("*.safetensors",),
        note="trained on AM-2k, AIM-500, HIM2K, PPM-100, P3M-10k and Distinctions-646: no fair test on these",
    ),
    WeightsRow(
        "clip_vit_b_32",
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        "MIT",
        LicenceClass.PERMISSIVE,
        605,
        files=("open_clip_config.json", "open_clip_model.safetensors"),
    ),
    WeightsRow("dinov2_base", "facebook/dinov2-base", "Apache-2.0", LicenceClass.PERMISSIVE, 346),
    WeightsRow(
        "lpips_alexnet",
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        "BSD-3-Clause",
        LicenceClass.PERMISSIVE,
        244,
        note="trained on ImageNet, whose pictures are for research; for measuring only",
    ),
    WeightsRow(
        "clip_openai_vit_b_32",
        "timm/vit_base_patch32_clip_224.openai",
        "MIT",
        LicenceClass.PERMISSIVE,
        605,
        files=("open_clip_config.json", "open_clip_model.safetensors"),
    ),
    WeightsRow(
        "clip_openai_vit_l_14_336",
        "timm/vit_large_patch14_clip_336.openai",
        "MIT",
        LicenceClass.PERMISSIVE,
        1700,
        files=("open_clip_config.json", "open_clip_model.safetensors"),
    ),
    WeightsRow(
        "inception_fid",
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
        "Apache-2.0",
        LicenceClass.PERMISSIVE,
        96,
    ),
)


class UnknownWeights(LookupError):
    code = "unknown_weights"


def find(name: str) -> WeightsRow:
    """The row of some weights. Raises ``UnknownWeights`` that lists what exists."""
    rows = {row.name: row for row in WEIGHTS}
    if name not in rows:
        raise UnknownWeights(f"unknown weights '{name}'; have: {', '.join(sorted(rows))}")
    return rows[name]


class LicenceForbids(ValueError):
    code = "licence_forbids"


def require_commercial_safe(row: WeightsRow) -> None:
    """Raise ``LicenceForbids`` with the licence when the weights may not be used commercially."""
    if not row.is_commercial_safe:
        raise LicenceForbids(f"weights '{row.name}' ({row.source}) are under {row.licence}: no commercial use")
