"""RefLayer as a completion backend of the engine: every object asked for by its visible mask, and the background.

Visible pixels stay the source's, and a hidden part lies under the objects in front: what the network says beyond that
is left out, because the stage promises it (``engine.stages.completion.base``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.accounts import METER
from engine.imaging import union
from engine.records import Instance, Mask, Picture, Prompt, PromptKind, RGBALayer, Scene
from engine.refusals import Refusal
from engine.residency import RESIDENCY
from engine.stages.completion.hidden_region import cover_of
from training.checkpoint_folder import trained_checkpoints
from training.reflayer.predict import DEFAULT_CHECKPOINT


@dataclass(frozen=True, slots=True)
class Params:
    checkpoint: str = DEFAULT_CHECKPOINT.name
    """By its name, one that ships or one that was trained here, or the folder of any that
    ``training.reflayer.loading`` knows."""
    steps: int = 0
    """Sampling steps; 0 leaves them to the checkpoint's pipeline."""
    max_growth: float = 5.0
    """A hidden part that makes the object larger than this many times its visible part is not believed."""
    ring_share: float = 0.012
    """The background's hole is grown by this share of the shorter side, at least 3 px: soft edges mix colours."""
    batch: int = 8
    """Objects of one picture answered together."""


class RefLayer:
    """Warm: the pipeline stays on the device as long as ``engine.residency`` has room for it."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)
        self.pipeline: Any = None
        self.device = "cpu"

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        """Raises ``training.reflayer.checkpoint.BrokenCheckpoint``."""
        import torch

        from training.reflayer.loading import load_pipeline

        folder = self._folder()
        size_mb = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) >> 20
        changed_at = max((path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()), default=0)
        build = partial(load_pipeline, folder, device, getattr(torch, dtype))
        key = ("reflayer", str(folder), changed_at, device, dtype)
        self.pipeline = RESIDENCY.get(key, folder.name, size_mb, device, build)
        self.device = device

    def _folder(self) -> Path:
        name = self.params.checkpoint
        places = (DEFAULT_CHECKPOINT.parent / name, trained_checkpoints() / name)
        return next((place for place in places if place.is_dir()), Path(name))

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        """A picture that the network refuses is dropped with the refusal's code."""
        for scene in scenes:
            if not scene.is_kept:
                continue
            try:
                self._complete(scene)
            except Refusal as refusal:
                scene.drop_reason = refusal.code
        return scenes

    def _complete(self, scene: Scene) -> None:
        objects, unbelieved, shares = scene.foregrounds, 0, []
        asked = [Prompt(PromptKind.MASK, mask_hw=one.visible_hw, text=one.label) for one in objects]
        for instance, layer in zip(objects, self._layers(scene, asked, [one.key for one in objects]), strict=True):
            hidden = layer.amodal_hw & cover_of(scene, instance)
            visible_px, hidden_px = int(np.count_nonzero(instance.visible_hw)), int(np.count_nonzero(hidden))
            if hidden_px > (self.params.max_growth - 1) * visible_px:
                hidden[:] = False
                hidden_px, unbelieved = 0, unbelieved + 1
            instance.amodal_hw = instance.visible_hw | hidden
            instance.completed_hwc = _copied(scene.image_hwc, layer, hidden)
            shares.append(hidden_px / (hidden_px + visible_px))
        hole = self._hole(scene)
        prompt = Prompt(PromptKind.BACKGROUND, mask_hw=hole if hole.any() else None, text="background")
        (layer,) = self._layers(scene, [prompt], ["bg"])
        scene.instances.append(Instance.background(_copied(scene.image_hwc, layer, hole), ~hole))
        scene.numbers["completion"] = {
            "occluded_objects": float(sum(share > 0 for share in shares)),
            "mean_hidden_share": float(np.mean(shares)) if shares else 0.0,
            "unbelieved_growth": float(unbelieved),
            "background_hole_share": float(hole.mean()),
        }

    def _layers(self, scene: Scene, prompts: list[Prompt], keys: list[str]) -> list[RGBALayer]:
        import torch

        options: dict[str, Any] = {"num_inference_steps": self.params.steps} if self.params.steps else {}
        found: list[RGBALayer] = []
        for start in range(0, len(prompts), self.params.batch):
            part = prompts[start : start + self.params.batch]
            generators = [
                torch.Generator().manual_seed(int(scene.rng("completion", key).integers(2**32)))
                for key in keys[start : start + self.params.batch]
            ]
            with METER.device(self.device):
                found += self.pipeline([scene.image_hwc] * len(part), part, generator=generators, **options)
        return found

    def _hole(self, scene: Scene) -> Mask:
        height, width = scene.image_hwc.shape[:2]
        objects = union((i.amodal_hw for i in scene.foregrounds if i.amodal_hw is not None), height, width)
        ring = 2 * max(3, round(self.params.ring_share * min(height, width))) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (ring, ring))
        return cv2.dilate(objects.astype(np.uint8), kernel).astype(bool)


def _copied(image_hwc: Picture, layer: RGBALayer, where_hw: Mask) -> Picture:
    """The picture with the layer's colours in one region."""
    out = image_hwc.copy()
    out[where_hw] = layer.rgba_hwc[where_hw][:, :3]
    return out
