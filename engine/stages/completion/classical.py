"""Completion without learned weights: hidden part by shape, colours by patches of the object itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engine.imaging import box_of, union
from engine.records import Instance, Mask, Picture, Scene
from engine.stages.completion.hidden_region import hidden_region
from engine.stages.completion.patch_fill import fill
from engine.stages.one_by_one import OneByOne


@dataclass(frozen=True, slots=True)
class Params:
    ring_share: float = 0.012
    """The background's hole is grown by this share of the shorter side, at least 3 px: soft edges mix colours."""
    max_growth: float = 5.0
    """A hidden part that makes the object larger than this many times its visible part is not believed."""
    rim_px: int = 2
    """Pixels of an object this near its edge are mixed with others and never serve as texture."""
    working_px: int = 512


class Classical(OneByOne):
    """Hidden part from the order graph, patch-based fill, background with every object removed."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)

    def work_on(self, scene: Scene) -> None:
        unbelieved, shares = 0, []
        for instance in scene.foregrounds:
            hidden = hidden_region(scene, instance)
            visible_px, hidden_px = int(np.count_nonzero(instance.visible_hw)), int(np.count_nonzero(hidden))
            if hidden_px > (self.params.max_growth - 1) * visible_px:
                hidden[:] = False
                hidden_px = 0
                unbelieved += 1
            instance.amodal_hw = instance.visible_hw | hidden
            instance.completed_hwc = self._texture(scene, instance, hidden)
            shares.append(hidden_px / (hidden_px + visible_px))
        scene.instances.append(self._background(scene))
        background = scene.instances[-1]
        scene.numbers["completion"] = {
            "occluded_objects": float(sum(share > 0 for share in shares)),
            "mean_hidden_share": float(np.mean(shares)) if shares else 0.0,
            "unbelieved_growth": float(unbelieved),
            "background_hole_share": float(1 - background.visible_hw.mean()),
        }

    def _texture(self, scene: Scene, instance: Instance, hidden_hw: Mask) -> Picture:
        """The hidden part in the object's own texture, worked out on a crop around the object."""
        completed = scene.image_hwc.copy()
        if not hidden_hw.any():
            return completed
        assert instance.amodal_hw is not None
        x0, y0, x1, y1 = (int(v) for v in box_of(instance.amodal_hw) or (0, 0, 0, 0))
        window = np.s_[y0:y1, x0:x1]
        rim = 2 * self.params.rim_px + 1
        visible = instance.visible_hw[window].astype(np.uint8)
        inner = cv2.erode(visible, np.ones((rim, rim), np.uint8)).astype(bool)
        known = inner if inner.any() else visible.astype(bool)
        hole = instance.amodal_hw[window] & ~known
        filled = fill(scene.image_hwc[window], hole, known, self._seed(scene, instance.key), self.params.working_px)
        completed[window][hidden_hw[window]] = filled[hidden_hw[window]]
        return completed

    def _background(self, scene: Scene) -> Instance:
        height, width = scene.image_hwc.shape[:2]
        objects = union((i.amodal_hw for i in scene.foregrounds if i.amodal_hw is not None), height, width)
        ring = 2 * max(3, round(self.params.ring_share * min(height, width))) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (ring, ring))
        hole = cv2.dilate(objects.astype(np.uint8), kernel).astype(bool)
        filled = fill(scene.image_hwc, hole, ~hole, self._seed(scene, "bg"), self.params.working_px)
        return Instance.background(filled, ~hole)

    @staticmethod
    def _seed(scene: Scene, key: str) -> int:
        return int(scene.rng("completion", key).integers(2**32))
