"""The picture without any object, in two passes: structure first, then, for a large hole, detail over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.imaging import union
from engine.records import Instance, Mask, Picture, Scene
from engine.stages.roles import Detector, Hole, Inpainter

SCENE_TEXT = "empty scene, background only, nothing in the foreground"
"""About the scene, and never naming what was removed: a generator paints what it reads."""


@dataclass(frozen=True, slots=True)
class Limits:
    ring_share: float = 0.015
    """The hole is grown by this share of the longer side: soft edges and contact shadows."""
    wider_ring_share: float = 0.04
    """Where a removed thing came back."""
    refine_above: float = 0.1
    """Holes larger than this share of the picture get the second pass."""
    max_leak: float = 0.35


def fill(
    scenes: Sequence[Scene],
    structure: Inpainter,
    refine: Inpainter | None,
    detector: Detector | None,
    limits: Limits,
) -> None:
    """Append the background instance to every scene; numbers tell which were refined and which painted again.

    With a detector every fill is searched for the labels that were removed: if one is in the hole, the hole is filled
    again, wider and by ``structure`` alone, which cannot invent things.
    """
    holes = [_hole(scene, limits.ring_share) for scene in scenes]
    filled = _paint(scenes, [scene.image_hwc for scene in scenes], holes, structure)
    large = [k for k, hole in enumerate(holes) if hole.mean() > limits.refine_above] if refine is not None else []
    if refine is not None and large:
        fine = _paint([scenes[k] for k in large], [filled[k] for k in large], [holes[k] for k in large], refine)
        for k, picture in zip(large, fine, strict=True):
            filled[k] = picture
    again = [k for k, scene in enumerate(scenes) if _came_back(scene, filled[k], holes[k], detector, limits)]
    if again:
        for k in again:
            holes[k] = _hole(scenes[k], limits.wider_ring_share)
        once_more = [scenes[k] for k in again]
        pictures = _paint(once_more, [s.image_hwc for s in once_more], [holes[k] for k in again], structure)
        for k, picture in zip(again, pictures, strict=True):
            filled[k] = picture
    for k, scene in enumerate(scenes):
        scene.instances.append(Instance.background(filled[k], ~holes[k]))
        scene.numbers.setdefault("completion", {}).update(
            background_refined=float(k in large), background_painted_again=float(k in again)
        )


def _hole(scene: Scene, ring_share: float) -> Mask:
    height, width = scene.image_hwc.shape[:2]
    objects = union((i.amodal_hw for i in scene.foregrounds if i.amodal_hw is not None), height, width)
    ring = max(3, round(ring_share * max(height, width)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * ring + 1, 2 * ring + 1))
    return np.asarray(cv2.dilate(objects.astype(np.uint8), kernel), bool)


def _paint(
    scenes: Sequence[Scene], pictures: Sequence[Picture], holes: Sequence[Mask], inpainter: Inpainter
) -> list[Picture]:
    """Pictures with their holes painted, every other pixel as it is in the source."""
    asked = [k for k, hole in enumerate(holes) if hole.any()]
    removed = [", ".join(sorted({i.label for i in scene.foregrounds})) for scene in scenes]
    requests = [
        Hole(pictures[k], holes[k], SCENE_TEXT, removed[k], int(scenes[k].rng("completion", "bg").integers(2**32)))
        for k in asked
    ]
    out = [scene.image_hwc.copy() for scene in scenes]
    for k, picture in zip(asked, inpainter(requests), strict=True):
        out[k][holes[k]] = picture[holes[k]]
    return out


def _came_back(scene: Scene, filled: Picture, hole_hw: Mask, detector: Detector | None, limits: Limits) -> bool:
    if detector is None or not hole_hw.any():
        return False
    labels = sorted({instance.label for instance in scene.foregrounds})
    (found,) = detector([filled], [labels])
    for one in found:
        x0, y0, x1, y1 = (int(v) for v in one.box)
        inside = hole_hw[y0:y1, x0:x1]
        if one.score > limits.max_leak and one.phrase in labels and inside.size and inside.mean() > 0.5:
            return True
    return False
