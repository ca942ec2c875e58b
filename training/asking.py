"""Checks on what a person asks of a pipeline, before any network runs. No torch: the web process makes them too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.imaging import clip_box
from engine.records import Picture, Prompt, PromptKind
from engine.refusals import Refusal

MIN_SIDE_PX = 16
MAX_PIXELS = 50_000_000


def checked_picture(picture_hwc: Picture) -> Picture:
    """uint8 RGB ``[H, W, 3]``; raises ``Refusal`` ``bad_picture``, ``too_small`` or ``too_many_pixels``."""
    if picture_hwc.ndim != 3 or picture_hwc.shape[2] != 3 or picture_hwc.dtype != np.uint8:
        raise Refusal("bad_picture", f"A picture is uint8 RGB, not {picture_hwc.dtype} {picture_hwc.shape}.")
    height, width = picture_hwc.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise Refusal("too_small", f"The picture is {width} x {height} px; both sides need {MIN_SIDE_PX} px.")
    if height * width > MAX_PIXELS:
        raise Refusal("too_many_pixels", f"The picture has {height * width:,} pixels; {MAX_PIXELS:,} are the most.")
    return picture_hwc


def checked_prompt(prompt: Prompt, width: int, height: int) -> Prompt:
    """The prompt with its box clipped to the picture.

    Raises ``Refusal``: ``empty_prompt``, ``empty_box`` (no area), ``prompt_outside``, ``empty_mask``, ``mask_size``.
    """
    has_place = bool(prompt.points) or prompt.box is not None or prompt.mask_hw is not None
    if prompt.kind is not PromptKind.BACKGROUND and not has_place and not prompt.text.strip():
        raise Refusal("empty_prompt", "A prompt has at least a point, a box, a mask or a text.")
    for x, y in prompt.points:
        if not (0 <= x < width and 0 <= y < height):  # also refuses NaN
            raise Refusal("prompt_outside", f"The point {x:g}, {y:g} lies outside the {width} x {height} px picture.")
    if prompt.mask_hw is not None:
        if prompt.mask_hw.shape != (height, width):
            raise Refusal("mask_size", f"The mask is {prompt.mask_hw.shape[::-1]}, the picture {(width, height)}.")
        if not prompt.mask_hw.any():
            raise Refusal("empty_mask", "The mask marks no pixel.")
    if prompt.box is None:
        return prompt
    x0, y0, x1, y1 = prompt.box
    if not (x1 > x0 and y1 > y0):
        raise Refusal("empty_box", f"The box {x0:g}, {y0:g}, {x1:g}, {y1:g} has no area.")
    clipped = clip_box(prompt.box, width, height)
    if clipped is None:
        raise Refusal("prompt_outside", f"The box {x0:g}, {y0:g}, {x1:g}, {y1:g} lies outside the picture.")
    return replace(prompt, box=clipped)
