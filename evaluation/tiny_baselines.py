"""What one prompt is worth without a learned network: the baselines of ``evaluation.reflayer_tiny``.

Each gives a layer: alpha, what of it is seen, and colours that are the source's where the method sees the object and
Telea's fill (2004) elsewhere, grown from the object alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine import recipes, registry
from engine.imaging import box_to_mask, encode_png, sha256
from engine.records import GivenPrompt, Mask, Picture, Prompt, PromptKind, RGBALayer, Scene
from evaluation.baselines import FILL_RADIUS_PX, filled_box, grabcut_alone

_SURE_PX, _PROBABLE_PX = 3, 14
"""Around a point, at 128 px: surely, probably the object. The fairer of two set-ups that were tried."""
_RIM_PX = 2


def telea_layer(image_hwc: Picture, amodal_hw: Mask, visible_hw: Mask) -> RGBALayer:
    """A hard layer: source colours in ``visible``, Telea's fill from its inside everywhere else."""
    inner = cv2.erode(visible_hw.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    known = inner if inner.any() else visible_hw
    colours = image_hwc
    if known.any() and not known.all():
        filled = cv2.inpaint(image_hwc, (~known).astype(np.uint8), FILL_RADIUS_PX, cv2.INPAINT_TELEA)
        colours = np.where(visible_hw[..., None], image_hwc, filled)
    return RGBALayer(np.dstack([colours, amodal_hw.astype(np.uint8) * 255]).astype(np.uint8), visible_hw)


def hull(mask_hw: Mask) -> Mask:
    """The filled convex hull of a mask."""
    out = np.zeros(mask_hw.shape, np.uint8)
    points = cv2.findNonZero(mask_hw.astype(np.uint8))
    if points is not None:
        cv2.fillConvexPoly(out, cv2.convexHull(points), 1)
    return out.astype(bool)


def grabcut(image_hwc: Picture, prompt: Prompt, seed: int) -> Mask:
    """GrabCut (2004) started from the prompt: a rectangle, a disc, both, or a mask with an unsure rim."""
    if prompt.box is not None and prompt.mask_hw is None and not prompt.points:
        return grabcut_alone(image_hwc, prompt.box, seed)
    height, width = image_hwc.shape[:2]
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    if prompt.mask_hw is not None:
        around = cv2.dilate(prompt.mask_hw.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        within = cv2.erode(prompt.mask_hw.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        labels[~around] = cv2.GC_BGD
        labels[prompt.mask_hw] = cv2.GC_PR_FGD
        labels[within] = cv2.GC_FGD
    elif prompt.box is not None:
        inside = box_to_mask(prompt.box, height, width)
        labels[inside], labels[~inside] = cv2.GC_PR_FGD, cv2.GC_BGD
    else:
        labels[:_RIM_PX] = labels[-_RIM_PX:] = labels[:, :_RIM_PX] = labels[:, -_RIM_PX:] = cv2.GC_BGD
    scale = max(height, width) / 128
    rows, columns = np.mgrid[:height, :width] + 0.5
    for x, y in prompt.points:
        distance = np.hypot(columns - x, rows - y)
        if prompt.box is None:
            labels[distance <= _PROBABLE_PX * scale] = cv2.GC_PR_FGD
        labels[distance <= _SURE_PX * scale] = cv2.GC_FGD
    front = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if not front.any() or front.all():
        return front
    cv2.setRNGSeed(seed & 0x7FFFFFFF)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(image_hwc[..., ::-1])
    cv2.grabCut(bgr, labels, (0, 0, width, height), *models, 5, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """Scene, completion and postprocess of the ``cpu`` recipe: its prefilter would refuse pictures this small."""

    def scene(self, image_hwc: Picture, given: tuple[GivenPrompt, ...], seed: int) -> Scene:
        scene = Scene(sha256(encode_png(image_hwc)), image_hwc, seed=seed, given=given)
        for spec in recipes.cpu().stages[1:4]:
            scene = registry.load(spec.stage, spec.backend, spec.params)([scene])[0]
            if not scene.is_kept:
                break
        return scene

    def layer(self, image_hwc: Picture, prompt: Prompt, seed: int) -> RGBALayer | None:
        """From a box or a mask alone, as for the network; ``None`` where the recipe finds nothing."""
        scene = self.scene(image_hwc, (GivenPrompt("object", prompt.box, prompt.mask_hw),), seed)
        return next((instance.layer for instance in scene.foregrounds), None)

    def background(self, image_hwc: Picture, masks: tuple[Mask, ...], seed: int) -> Picture | None:
        """The background when the masks of all objects are given."""
        scene = self.scene(image_hwc, tuple(GivenPrompt("object", mask_hw=mask) for mask in masks), seed)
        found = scene.background
        return None if found is None or found.completed_hwc is None else found.completed_hwc


def of_prompt(image_hwc: Picture, prompt: Prompt, seed: int) -> dict[str, RGBALayer]:
    """Every baseline that can be asked with this prompt, by name."""
    cut = grabcut(image_hwc, prompt, seed)
    layers = {"grabcut": telea_layer(image_hwc, cut, cut)}
    if prompt.box is not None and prompt.mask_hw is None:
        box = filled_box(image_hwc, prompt.box)
        layers["box"] = telea_layer(image_hwc, box, box)
    if prompt.mask_hw is not None:
        around = hull(prompt.mask_hw)
        layers["mask"] = telea_layer(image_hwc, prompt.mask_hw, prompt.mask_hw)
        layers["hull"] = telea_layer(image_hwc, around, prompt.mask_hw)
    if prompt.kind in (PromptKind.BOX, PromptKind.MASK):
        made = Recipe().layer(image_hwc, prompt, seed)
        nothing = np.zeros(image_hwc.shape[:2], bool)
        layers["cpu"] = made or telea_layer(image_hwc, nothing, nothing)
    return layers
