"""Alpha by a matting network on each object's crop, colours unmixed from what lies behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine import networks
from engine.imaging import iou
from engine.records import Instance, Mask, Picture, Scene
from engine.stages.completion.partial_background import behind
from engine.stages.postprocess import closed_form
from engine.stages.postprocess.closed_form import ClosedForm, window_of
from engine.stages.postprocess.materials import band_factor, is_clear
from engine.stages.postprocess.unmix import trust_in, unmix
from engine.stages.roles import Floats, Matter


@dataclass(frozen=True, slots=True)
class Params(closed_form.Params):
    """``matter`` is a spec of ``engine.networks``; the rest as in ``closed_form``, with a wider crop."""

    min_band_px: float = 4.0
    margin_share: float = 0.2
    working_px: int = 1024
    matter: Mapping[str, Any] = field(default_factory=lambda: {"network": "vitmatte"})
    least_iou: float = 0.85
    """A matte that agrees less with its mask is of something else, and the mask's own soft edge stands in."""


class Matting(ClosedForm):
    """The amodal matte of ``closed_form`` with a network deciding the band, and known backgrounds divided out.

    The matte is taken on the picture as it would be without what is in front: so alpha stays 1 where the object goes on
    under its occluder.
    """

    def __init__(self, **params: Any) -> None:
        chosen = Params(**params)
        self.params, self.least_iou = chosen, chosen.least_iou
        self.matter: Matter = networks.make(chosen.matter)

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        self.matter.load(device, dtype)

    def work_on(self, scene: Scene) -> None:
        scene.numbers["postprocess"] = {"mattes_rejected": 0.0}
        super().work_on(scene)

    def _half_width(self, instance: Instance, amodal_hw: Mask) -> float:
        half = super()._half_width(instance, amodal_hw) * band_factor(instance.label)
        return float(np.clip(half, self.params.min_band_px / 2, self.params.max_band_px))

    def _trimap(self, instance: Instance, mask_hw: Mask, half_width_px: float) -> Floats:
        known = super()._trimap(instance, mask_hw, half_width_px)
        return np.where(known == 1.0, 0.5, known).astype(np.float32) if is_clear(instance.label) else known

    def _solve(self, scene: Scene, picture_hwc: Picture, trimap_hw: Floats, step_hw: Floats) -> Floats:
        """1 in the known core, 0 outside the band, the network's alpha between; ``step_hw`` where it disagrees."""
        unknown = (trimap_hw > 0) & (trimap_hw < 1)
        if not unknown.any() or not (trimap_hw == 0).any():
            return step_hw
        (solved,) = self.matter([picture_hwc], [trimap_hw])
        alpha = np.where(unknown, solved, trimap_hw).astype(np.float32)
        is_opaque_somewhere = bool((trimap_hw == 1).any())
        if is_opaque_somewhere and iou(alpha > 0.5, step_hw > 0.5) < self.least_iou:
            scene.numbers["postprocess"]["mattes_rejected"] += 1.0
            return step_hw
        return alpha

    def _foreground(self, scene: Scene, instance: Instance, picture_hwc: Picture, alpha8_hw: Picture) -> Picture:
        estimate = super()._foreground(scene, instance, picture_hwc, alpha8_hw)
        if scene.background is None or scene.background.completed_hwc is None:
            return estimate
        seen_behind = scene.background.visible_hw.copy()
        for other in scene.instances[scene.instances.index(instance) + 1 :]:
            seen_behind |= other.visible_hw
        window = window_of(alpha8_hw > 0, 0)
        alpha = alpha8_hw[window].astype(np.float32) / 255.0
        below, trust = behind(scene, instance)[window], trust_in(seen_behind)[window]
        estimate[window] = unmix(picture_hwc[window], alpha, below, estimate[window], trust)
        return estimate
