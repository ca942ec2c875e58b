"""Bringing pictures to a network's input without aliasing, cutting or requantising."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.records import Picture

Rgb = tuple[int, int, int]
Floats = NDArray[np.float32]


def clean_resize(picture_hwc: Picture, side_px: int) -> Floats:
    """``[side,side,3]`` float32, 0..255: each channel by Pillow's antialiased bicubic, not rounded afterwards.

    As clean-fid does it (Parmar, Zhang and Zhu 2022, "On Aliased Resizing and Surprising Subtleties in GAN
    Evaluation"). The aspect is not kept: Inception was always fed so.
    """
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(picture_hwc[..., channel], np.float32)).resize(
                (side_px, side_px), Image.Resampling.BICUBIC
            )
        )
        for channel in range(3)
    ]
    return np.stack(channels, axis=-1).clip(0, 255)


def letterbox(picture_hwc: Picture, canvas: Rgb) -> Picture:
    """The picture in the middle of a square of the canvas colour, so that resizing cuts and stretches nothing."""
    height, width = picture_hwc.shape[:2]
    side = max(height, width)
    square = np.empty((side, side, 3), np.uint8)
    square[:] = canvas
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture_hwc
    return square


def as_batch(pictures: Sequence[Picture], side_px: int) -> Floats:
    """``[B,3,side,side]`` float32, 0..255, by ``clean_resize``."""
    return np.ascontiguousarray(
        np.stack([clean_resize(picture, side_px) for picture in pictures]).transpose(0, 3, 1, 2)
    )
