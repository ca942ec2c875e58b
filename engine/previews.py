"""What each stage made, as one picture for the run page."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from engine.imaging import flatten
from engine.records import Instance, Picture, Scene

CHECKER_PX = 12


def colour_of(number: int) -> tuple[int, int, int]:
    """Well-separated hues in a fixed order (golden-ratio steps)."""
    red, green, blue = colorsys.hsv_to_rgb((0.02 + number * 0.618034) % 1.0, 0.75, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)


def checker(height: int, width: int) -> Picture:
    ys, xs = np.mgrid[0:height, 0:width] // CHECKER_PX
    grey = np.where((xs + ys) % 2 == 0, 255, 217).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def render(scene: Scene, stage: str) -> Picture:
    """RGB picture of the scene's size: outlines after scene understanding, contact sheets after that."""
    foregrounds = [i for i in scene.instances if i.key != "bg"]
    if stage == "prefilter" or not scene.instances:
        return scene.image_hwc
    if stage == "scene":
        return _outlined(scene.image_hwc, [(i.visible_hw, colour_of(n)) for n, i in enumerate(foregrounds)])
    if stage == "prompts":
        return _with_points(scene)
    background = next((i for i in scene.instances if i.key == "bg"), None)
    tiles = [_tile(instance) for instance in foregrounds]
    if background is not None:
        tiles.append(_tile(background))
    return (
        _sheet([tile for tile in tiles if tile is not None]) if any(t is not None for t in tiles) else scene.image_hwc
    )


def _outlined(picture: Picture, masks: list[tuple[np.ndarray, tuple[int, int, int]]]) -> Picture:
    out = picture.copy()
    thickness = max(2, round(max(picture.shape[:2]) / 300))
    for mask, colour in masks:
        out[mask] = (out[mask] * 0.6 + np.asarray(colour) * 0.4).astype(np.uint8)
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(out, contours, -1, colour, thickness)
    return out


def _with_points(scene: Scene) -> Picture:
    out = scene.image_hwc.copy()
    radius = max(4, round(max(out.shape[:2]) / 110))
    for number, instance in enumerate(scene.foregrounds):
        for prompt in instance.prompts:
            if prompt.box is not None:
                x0, y0, x1, y1 = (round(v) for v in prompt.box)
                cv2.rectangle(out, (x0, y0), (x1 - 1, y1 - 1), colour_of(number), max(2, radius // 3))
            for x, y in prompt.points:
                cv2.circle(out, (round(x), round(y)), radius, (255, 255, 255), -1)
                cv2.circle(out, (round(x), round(y)), radius - 2, colour_of(number), -1)
    return out


def _tile(instance: Instance) -> Picture | None:
    """The layer over a checkerboard, or the completed colours inside the amodal mask; greyed when dropped."""
    if instance.layer is not None:
        rgba = instance.layer.rgba_hwc
    elif instance.completed_hwc is not None and instance.amodal_hw is not None:
        rgba = np.dstack([instance.completed_hwc, instance.amodal_hw.astype(np.uint8) * 255])
    else:
        return None
    board = np.dstack([checker(*rgba.shape[:2]), np.full(rgba.shape[:2], 255, np.uint8)])
    tile = flatten([rgba, board])
    return tile if instance.is_kept else (tile * 0.35 + 80).astype(np.uint8)


def _sheet(tiles: list[Picture]) -> Picture:
    """Tiles side by side in a grid that is about as wide as it is high."""
    height, width = tiles[0].shape[:2]
    columns = int(np.ceil(np.sqrt(len(tiles))))
    rows = int(np.ceil(len(tiles) / columns))
    sheet = np.full((rows * height, columns * width, 3), 128, np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (number // columns) * height, (number % columns) * width
        sheet[y : y + height, x : x + width] = tile
    return sheet
