"""Drawn scenes whose every pixel is known: coloured discs and boxes over a slope of grey."""

from __future__ import annotations

import cv2
import numpy as np

from engine.imaging import box_of, sha256
from engine.records import GivenPrompt, Instance, LayerKind, Mask, Picture, Scene

COLOURS = ((220, 60, 40), (40, 170, 60), (50, 80, 220), (230, 200, 40), (180, 60, 190), (40, 190, 200))


def slope(height: int, width: int) -> Picture:
    grey = 60 + 120 * np.arange(width) / width + 8 * np.sin(np.arange(height) / 3)[:, None]
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)


def disc(height: int, width: int, centre: tuple[float, float], radius: float) -> Mask:
    ys, xs = np.mgrid[:height, :width]
    return (xs - centre[0]) ** 2 + (ys - centre[1]) ** 2 <= radius**2


def rectangle(height: int, width: int, x0: int, y0: int, x1: int, y1: int) -> Mask:
    mask = np.zeros((height, width), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def scene_of(amodal: list[Mask], labels: list[str] | None = None, seed: int = 3) -> Scene:
    """A scene after stage 2: true visible masks and order of shapes given front to back, each of one colour."""
    height, width = amodal[0].shape
    picture = slope(height, width)
    for number, mask in reversed(list(enumerate(amodal))):
        picture[mask] = COLOURS[number % len(COLOURS)]
        picture[mask, 1] += (np.argwhere(mask)[:, 0] % 8).astype(np.uint8)
    covered = np.zeros((height, width), bool)
    scene = Scene(sha256(picture.tobytes()), picture, seed=seed)
    for number, mask in enumerate(amodal):
        visible = mask & ~covered
        covered |= mask
        label = labels[number] if labels else f"shape {number}"
        box = box_of(visible)
        assert box is not None
        given = GivenPrompt(label, box=box, mask_hw=visible)
        scene.given += (given,)
        scene.instances.append(
            Instance(f"{number:02d}", label, LayerKind.FOREGROUND, 1.0, "given", box, visible, given=given)
        )
        scene.in_front += [(f"{front:02d}", f"{number:02d}") for front in range(number) if (amodal[front] & mask).any()]
    return scene


def smoothed(scene: Scene, sigma_px: float = 1.0) -> Scene:
    """The same with edges as soft as a lens draws them."""
    scene.image_hwc = cv2.GaussianBlur(scene.image_hwc, (0, 0), sigma_px)
    return scene


def two_discs() -> Scene:
    """A red disc in front of a green one, 120 x 160 px."""
    return scene_of([disc(120, 160, (60, 60), 28), disc(120, 160, (95, 60), 30)])
