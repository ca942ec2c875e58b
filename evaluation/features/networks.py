"""Which networks score: the published ones where their weights lie on this machine, else the named offline ones.

The three of HPA come from one side, all published or all offline: a board with one of each would be neither. CMMD
stands beside HPA and is chosen by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from engine.weights_folder import root
from evaluation.features.alexnet import SEED, FixedSeedEncoder, fixed_seed_trunk, lpips_network
from evaluation.features.clip import ClipEncoder
from evaluation.features.identity import Identity, ImageEncoder
from evaluation.features.inception import InceptionEncoder
from evaluation.features.perceptual import Perceptual, PerceptualDistance
from evaluation.features.trunk import TrunkDistance, TrunkEncoder, shipped_trunk
from evaluation.features.variants import CMMD, FILES, HPA, OFFLINE, OFFLINE_TINY, PUBLISHED, how_to_publish, missing

OFFLINE_COMPLETION = {"grid": 4, "side_px": 128}
OFFLINE_FIDELITY = {"grid": 1, "side_px": 128}


@dataclass(frozen=True, eq=False)
class Networks:
    perceptual: PerceptualDistance
    completion: ImageEncoder
    fidelity: ImageEncoder
    cmmd: ImageEncoder
    variant: str = OFFLINE
    """One of ``evaluation.features.variants``, after HPA's three."""

    @property
    def published(self) -> bool:
        """Whether HPA's three are."""
        return all(network.identity.published for network in (self.perceptual, self.completion, self.fidelity))

    @property
    def identities(self) -> dict[str, Identity]:
        return {name: getattr(self, name).identity for name in ("perceptual", "completion", "fidelity", "cmmd")}


class MissingWeights(ValueError):
    code = "missing_weights"


class NoDevice(ValueError):
    code = "no_device"


def require_device(name: str) -> None:
    """Raise ``NoDevice`` for a device that torch does not know or that is not here."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise NoDevice(f"device {name!r} cannot be used: {str(error).partition(chr(10))[0]}") from error


def load(device: str = "cpu", offline: bool = False, folder: Path | None = None) -> Networks:
    """The networks for this machine; ``offline`` takes the stand-ins even where the weights are there.

    Raises ``NoDevice``, and ``ValueError`` or torch's ``RuntimeError`` for weights that are not what their name says.
    """
    require_device(device)
    place = folder or root()
    absent = set(FILES) if offline else set(missing(place))
    cmmd: ImageEncoder = (
        FixedSeedEncoder(**OFFLINE_COMPLETION, device=device)
        if CMMD in absent
        else ClipEncoder("ViT-L-14-336-quickgelu", place / CMMD / FILES[CMMD], "openai ViT-L/14 336 px", device)
    )
    if absent & set(HPA):
        return Networks(
            Perceptual(lpips_network(fixed_seed_trunk()), f"lpips 0.1 heads on alexnet-seed{SEED}", False, device),
            FixedSeedEncoder(**OFFLINE_COMPLETION, device=device),
            FixedSeedEncoder(**OFFLINE_FIDELITY, device=device),
            cmmd,
        )
    trunk, clip, inception = (place / name / FILES[name] for name in HPA)
    return Networks(
        Perceptual(lpips_network(_state(trunk)), "lpips 0.1 alex", True, device),
        ClipEncoder("ViT-B-32-quickgelu", clip, "openai ViT-B/32", device),
        InceptionEncoder(_state(inception), "inception-2015-12-05", device),
        cmmd,
        PUBLISHED,
    )


def load_variant(variant: str, device: str = "cpu") -> Networks:
    """One of ``evaluation.features.variants``. Raises as ``load``; ``MissingWeights`` for the published one."""
    if variant == PUBLISHED:
        if absent := set(missing()) & set(HPA):
            raise MissingWeights(f"the published networks are not here; run: {how_to_publish(sorted(absent))}")
        return load(device)
    if variant == OFFLINE:
        return load(device, offline=True)
    if variant != OFFLINE_TINY:
        raise ValueError(f"unknown networks {variant!r}")
    require_device(device)
    trunk = shipped_trunk(device)
    cells, whole = TrunkEncoder(4, trunk, device), TrunkEncoder(1, trunk, device)
    return Networks(TrunkDistance(trunk, device), cells, whole, cells, OFFLINE_TINY)


@lru_cache(maxsize=1)
def warm_variant(variant: str) -> Networks:
    """The same, kept in this process for the next evaluation: loading takes longer than scoring a small benchmark."""
    return load_variant(variant, "cuda" if torch.cuda.is_available() else "cpu")


def _state(path: Path) -> Mapping[str, torch.Tensor]:
    """Tensors only: a file with anything else in it is refused by torch."""
    state: Mapping[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


@contextmanager
def exact() -> Iterator[None]:
    """Full float32 inside: no TF32 and no choice of algorithm by stopwatch, put back as it was afterwards."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    matmul.allow_tf32 = cudnn.allow_tf32 = cudnn.benchmark = False
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before
