"""Soft edges by closed-form matting (Levin, Lischinski and Weiss 2008), colours by multi-level estimation
(Germer, Uelwer, Conrad and Harmeling 2020), both from pymatting."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of
from engine.pymatting_functions import pymatting_function
from engine.records import Instance, Mask, Picture, RGBALayer, Scene
from engine.stages.one_by_one import OneByOne
from engine.stages.postprocess.colour import extend
from engine.stages.postprocess.trimap import band_half_width, signed_distance, trimap

Floats = NDArray[np.float32]

estimate_alpha_cf = pymatting_function("alpha.estimate_alpha_cf")
estimate_foreground_ml = pymatting_function("foreground.estimate_foreground_ml")

_PRECONDITIONER = partial(pymatting_function("preconditioner.ichol"), shifts=(1e-3, 1e-2, 1e-1, 0.5, 1.0, 10.0))
"""Plain areas make the matrix nearly singular; starting with a shift, pymatting need not fail (and print) first."""


@dataclass(frozen=True, slots=True)
class Params:
    band_share: float = 0.015
    min_band_px: float = 3.0
    max_band_px: float = 24.0
    margin_share: float = 0.1
    working_px: int = 768


class ClosedForm(OneByOne):
    """Adaptive trimap, closed-form alpha, multi-level foreground colour."""

    def __init__(self, **params: Any) -> None:
        self.params: Params = Params(**params)

    def work_on(self, scene: Scene) -> None:
        height, width = scene.image_hwc.shape[:2]
        backdrop = scene.image_hwc if scene.background is None else scene.background.completed_hwc
        assert backdrop is not None
        covered = np.zeros((height, width), bool)
        for instance in scene.foregrounds:
            picture = self._uncovered(scene, instance, backdrop)
            alpha = self._alpha(scene, instance, picture)
            instance.layer = self._layer(scene, instance, alpha, picture, covered)
            covered |= instance.layer.amodal_hw
        alphas = [instance.layer.alpha_hw for instance in scene.foregrounds if instance.layer is not None]
        scene.numbers.setdefault("postprocess", {}).update(
            layers=float(len(alphas)),
            soft_pixels=float(sum(np.count_nonzero((alpha > 0.02) & (alpha < 0.98)) for alpha in alphas)),
        )
        background = scene.background
        if background is not None and background.completed_hwc is not None:
            opaque = np.full((height, width, 1), 255, np.uint8)
            background.layer = RGBALayer(np.dstack([background.completed_hwc, opaque]), background.visible_hw.copy())

    def _alpha(self, scene: Scene, instance: Instance, picture_hwc: Picture) -> Floats:
        """Alpha of the whole object, hidden part included, float 0..1 of the picture's size.

        Objects in front are taken out of the picture: the hidden part shows inside the amodal mask, the
        filled background outside. So the object goes on at 1 where it is covered, and only edges that are seen in the
        source are decided by colour; an edge that was invented gets a plain soft step.
        """
        amodal = _of(instance.amodal_hw)
        half = self._half_width(instance, amodal)
        window = window_of(amodal, round(half + 2 + self.params.margin_share * np.sqrt(np.count_nonzero(amodal))))
        invented = ~instance.visible_hw & _others(scene, instance)
        picture = picture_hwc[window]
        mask, unseen = amodal[window], invented[window]
        step = np.clip(signed_distance(mask) / 2 + 0.5, 0.0, 1.0).astype(np.float32)
        alpha = self._solve(scene, picture, self._trimap(instance, mask, half), step)
        alpha = np.where(unseen, step, alpha)
        out = np.zeros(amodal.shape, np.float32)
        out[window] = alpha
        return out

    def _half_width(self, instance: Instance, amodal_hw: Mask) -> float:
        params = self.params
        return band_half_width(amodal_hw, params.band_share, params.min_band_px, params.max_band_px)

    def _trimap(self, instance: Instance, mask_hw: Mask, half_width_px: float) -> Floats:
        return trimap(mask_hw, half_width_px)

    def _foreground(self, scene: Scene, instance: Instance, picture_hwc: Picture, alpha8_hw: Picture) -> Picture:
        """The object's own colours ``[H,W,3]`` where it is not opaque; elsewhere they do not matter."""
        window = window_of(alpha8_hw > 0, 4)
        colour = picture_hwc.copy()
        unmixed = estimate_foreground_ml(picture_hwc[window] / 255.0, alpha8_hw[window] / 255.0)
        colour[window] = np.clip(np.rint(unmixed * 255), 0, 255).astype(np.uint8)
        return colour

    def _solve(self, scene: Scene, picture_hwc: Picture, trimap_hw: Floats, step_hw: Floats) -> Floats:
        """Closed-form alpha at no more than ``working_px`` on the longer side; ``step_hw`` where it has no answer."""
        unknown = (trimap_hw > 0) & (trimap_hw < 1)
        if not unknown.any() or not (trimap_hw == 0).any() or not (trimap_hw == 1).any():
            return step_hw
        height, width = trimap_hw.shape
        scale = min(1.0, self.params.working_px / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = cv2.resize(picture_hwc, size, interpolation=cv2.INTER_AREA) / 255.0
        known = cv2.resize(trimap_hw, size, interpolation=cv2.INTER_NEAREST).astype(np.float64)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                solved = estimate_alpha_cf(picture, known, preconditioner=_PRECONDITIONER)
        except ValueError:
            return step_hw
        alpha = cv2.resize(solved.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.where(unknown, np.clip(np.nan_to_num(alpha), 0.0, 1.0), trimap_hw).astype(np.float32)

    @staticmethod
    def _uncovered(scene: Scene, instance: Instance, backdrop: Picture) -> Picture:
        """The picture as it would be without the objects in front of ``instance``."""
        amodal, completed = _of(instance.amodal_hw), _of(instance.completed_hwc)
        picture = np.where((_others(scene, instance) & ~instance.visible_hw)[..., None], backdrop, scene.image_hwc)
        return np.where(amodal[..., None], completed, picture).astype(np.uint8)

    def _layer(self, scene: Scene, instance: Instance, alpha: Floats, picture: Picture, covered: Mask) -> RGBALayer:
        """Colours unmixed from the background; the source's own where the object is opaque and seen."""
        alpha8 = np.rint(np.clip(alpha, 0, 1) * 255).astype(np.uint8)
        amodal = alpha8 > 127
        hidden = _of(instance.amodal_hw) & ~instance.visible_hw
        visible = amodal & ~covered & ~hidden
        colour = self._foreground(scene, instance, picture, alpha8)
        opaque = alpha8 == 255
        colour[opaque] = picture[opaque]
        colour[opaque & visible] = scene.image_hwc[opaque & visible]
        colour = extend(colour, alpha8 > 12)
        return RGBALayer(np.dstack([colour, alpha8]), visible)


def _of(array: NDArray[Any] | None) -> NDArray[Any]:
    if array is None:
        raise ValueError("the instance has not been completed")
    return array


def _others(scene: Scene, instance: Instance) -> Mask:
    """Visible pixels of everything that stands before ``instance`` in the list."""
    out = np.zeros(instance.visible_hw.shape, bool)
    for other in scene.instances:
        if other is instance:
            return out
        out |= other.visible_hw
    return out


def window_of(mask_hw: Mask, margin_px: int) -> tuple[slice, slice]:
    """The mask's box grown by a margin, inside the picture; the whole picture for an empty mask."""
    box = box_of(mask_hw)
    height, width = mask_hw.shape
    if box is None:
        return np.s_[0:height, 0:width]
    x0, y0, x1, y1 = (int(v) for v in box)
    rows = slice(max(0, y0 - margin_px), min(height, y1 + margin_px))
    return rows, slice(max(0, x0 - margin_px), min(width, x1 + margin_px))
