"""What each stage made, as one picture for the run page."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from engine.imaging import flatten
from engine.records import Instance, Mask, Picture, Scene

CHECKER_PX = 12


def colour_of(number: int) -> tuple[int, int, int]:
    """Well-separated hues in a fixed order (golden-ratio steps)."""
    red, green, blue = colorsys.hsv_to_rgb((0.02 + number * 0.618034) % 1.0, 0.75, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)


def checker(height: int, width: int) -> Picture:
    ys, xs = np.mgrid[0:height, 0:width] // CHECKER_PX
    grey = np.where((xs + ys) % 2 == 0, 255, 217).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def render(scene: Scene, stage: str, longest_px: int) -> Picture:
    """RGB picture no larger than ``longest_px``: outlines after scene understanding, contact sheets after that.

    Everything is made small before it is drawn: at full size this took more time than all else that is stored.
    """
    foregrounds = [i for i in scene.instances if i.key != "bg"]
    height, width = scene.image_hwc.shape[:2]
    scale = min(1.0, longest_px / max(height, width))
    if stage == "prefilter" or not scene.instances:
        return _small(scene.image_hwc, scale)
    if stage == "scene":
        masks = [(_small_mask(i.visible_hw, scale), colour_of(n)) for n, i in enumerate(foregrounds)]
        return _outlined(_small(scene.image_hwc, scale), masks)
    if stage == "prompts":
        return _with_points(scene, scale)
    shown = [i for i in (*foregrounds, next((i for i in scene.instances if i.key == "bg"), None)) if _has_tile(i)]
    if not shown:
        return _small(scene.image_hwc, scale)
    columns = int(np.ceil(np.sqrt(len(shown))))
    rows = int(np.ceil(len(shown) / columns))
    of_tile = min(1.0, longest_px / max(height * rows, width * columns))
    return _sheet([_tile(instance, of_tile) for instance in shown if instance is not None], columns)


def _small(array: Picture, scale: float) -> Picture:
    """By averaging."""
    size = tuple(max(1, round(side * scale)) for side in array.shape[1::-1])
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.uint8)


def _small_mask(mask_hw: Mask, scale: float) -> Mask:
    """What is more than half inside."""
    return np.asarray(_small(mask_hw.astype(np.uint8) * 255, scale) > 127, bool)


def _outlined(picture: Picture, masks: list[tuple[np.ndarray, tuple[int, int, int]]]) -> Picture:
    out = picture.copy()
    thickness = max(2, round(max(picture.shape[:2]) / 300))
    for mask, colour in masks:
        out[mask] = (out[mask] * 0.6 + np.asarray(colour) * 0.4).astype(np.uint8)
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(out, contours, -1, colour, thickness)
    return out


def _with_points(scene: Scene, scale: float) -> Picture:
    out = _small(scene.image_hwc, scale).copy()
    radius = max(4, round(max(out.shape[:2]) / 110))
    for number, instance in enumerate(scene.foregrounds):
        for prompt in instance.prompts:
            if prompt.box is not None:
                x0, y0, x1, y1 = (round(v * scale) for v in prompt.box)
                cv2.rectangle(out, (x0, y0), (x1 - 1, y1 - 1), colour_of(number), max(2, radius // 3))
            for x, y in prompt.points:
                place = (round(x * scale), round(y * scale))
                cv2.circle(out, place, radius, (255, 255, 255), -1)
                cv2.circle(out, place, radius - 2, colour_of(number), -1)
    return out


def _has_tile(instance: Instance | None) -> bool:
    if instance is None:
        return False
    return instance.layer is not None or (instance.completed_hwc is not None and instance.amodal_hw is not None)


def _tile(instance: Instance, scale: float) -> Picture:
    """The layer over a checkerboard, or the completed colours inside the amodal mask; greyed when dropped."""
    if instance.layer is not None:
        rgba = _small(instance.layer.rgba_hwc, scale)
    else:
        assert instance.completed_hwc is not None
        assert instance.amodal_hw is not None
        alpha = _small(instance.amodal_hw.astype(np.uint8) * 255, scale)
        rgba = np.dstack([_small(instance.completed_hwc, scale), alpha])
    board = np.dstack([checker(*rgba.shape[:2]), np.full(rgba.shape[:2], 255, np.uint8)])
    tile = flatten([rgba, board])
    return tile if instance.is_kept else (tile * 0.35 + 80).astype(np.uint8)


def _sheet(tiles: list[Picture], columns: int) -> Picture:
    """Tiles side by side."""
    height, width = tiles[0].shape[:2]
    rows = int(np.ceil(len(tiles) / columns))
    sheet = np.full((rows * height, columns * width, 3), 128, np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (number // columns) * height, (number % columns) * width
        sheet[y : y + height, x : x + width] = tile
    return sheet
