"""From a picture of any size and a prompt to alpha and visible share of that size."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from engine.imaging import box_of
from engine.records import Mask, Picture, Point, Prompt, PromptKind
from training.reflayer.tiny.layer_colours import covered
from training.reflayer.tiny.looks import look_twice
from training.reflayer.tiny.mask_network import MaskNetwork
from training.reflayer.tiny.prompt_features import Floats
from training.reflayer.tiny.upsampling import enlarged, sharpened
from training.reflayer.tiny.window import Window, around, core_picture, core_prompt, from_core, window_for

HIDDEN_GAIN = 3.0
"""Hidden parts come out half transparent where the network is unsure; a layer is better with a decision."""
HIDDEN_FROM = 0.6
"""Alpha from which a hidden pixel is the object's. One half loses an object that is whole twice as much as it gains one
that is covered (validation composites), and most objects are whole."""
_CLOSER_BELOW = 0.7
"""A point's answer is asked for again from nearer by when the new window is smaller than this share of the first."""


def mattes(network: MaskNetwork, source: Picture, prompt: Prompt, looks: int = 2) -> tuple[Floats, Floats]:
    """Alpha and visible share, ``[H,W]`` float 0..1; ``prompt`` in pixels of the picture."""
    height, width = source.shape[:2]
    window = window_for(prompt, width, height)
    answer = _answer(network, source, prompt, window, looks)
    if prompt.points and prompt.box is None and prompt.mask_hw is None:
        nearer = _nearer(answer[0], window, width, height)
        if nearer is not None and all(_is_in(point, nearer) for point in prompt.points):
            window, answer = nearer, _answer(network, source, prompt, nearer, looks)
    return at_full_size(source, answer, window)


def _answer(network: MaskNetwork, source: Picture, prompt: Prompt, window: Window, looks: int) -> Floats:
    """Alpha and visible share of the window, ``[2,S,S]`` at the core's size."""
    asked, seen = core_prompt(prompt, window), core_picture(source, window)
    which = 0 if looks == 1 else 1
    answer = look_twice(network, seen, asked)[which]
    if asked.mask_hw is not None:
        return trusting(answer, asked.mask_hw)
    found = box_of(answer[1] > 0.5) if prompt.points and prompt.box is None else None
    if found is None:
        return answer
    # A point says nothing of the size: the box of what was found says it, and the mean of both answers is better.
    again = replace(asked, kind=PromptKind.HYBRID, box=found)
    return np.asarray((answer + look_twice(network, seen, again)[which]) / 2, np.float32)


def trusting(answer: Floats, mask_hw: Mask) -> Floats:
    """The answer ``[2,S,S]`` made to agree with a given mask of what is seen.

    Inside, more than half is seen, but for a pixel at the edge of which the network is nearly sure; outside, whatever
    the object has there is hidden, or a soft edge.
    """
    alpha, shows = answer
    kernel = np.ones((3, 3), np.uint8)
    inside = cv2.erode(mask_hw.astype(np.uint8), kernel).astype(bool)
    beyond = ~cv2.dilate(mask_hw.astype(np.uint8), kernel).astype(bool)
    lifted = np.where(inside, 0.51 + 0.49 * shows, 0.45 + 0.55 * shows)
    seen = np.where(mask_hw, lifted, np.where(beyond, np.minimum(shows, 0.1 * alpha), 0.25 * shows))
    return np.stack([np.maximum(alpha, seen), seen]).astype(np.float32)


def at_full_size(source_hwc: Picture, answer: Floats, window: Window) -> tuple[Floats, Floats]:
    """Alpha and visible share ``[H,W]`` of the picture's size from the core's ``[2,S,S]``; nothing outside the window.

    Seen edges are moved onto the picture's own; hidden edges are not in the picture and only get sharper.
    """
    height, width = source_hwc.shape[:2]
    inside = window.inside(width, height)
    guide = np.ascontiguousarray(source_hwc[inside])
    alpha, shows = (from_core(matte, window, width, height) for matte in answer)
    hidden = sharpened(alpha, HIDDEN_GAIN, HIDDEN_FROM)
    if guide.shape[0] > answer.shape[1] or guide.shape[1] > answer.shape[2]:
        x0, y0, x1, y1 = window.core_box(width, height)
        small = (np.ascontiguousarray(matte[y0:y1, x0:x1]) for matte in answer)
        alpha, shows = (enlarged(matte, guide) for matte in small)
    under = covered(alpha, shows)
    out_alpha, out_shows = np.zeros((2, height, width), np.float32)
    out_alpha[inside] = np.where(under, hidden, alpha)
    out_shows[inside] = np.minimum(shows, out_alpha[inside])
    return out_alpha, out_shows


def _nearer(alpha_hw: Floats, window: Window, width: int, height: int) -> Window | None:
    """The window around a first answer, when that is much smaller than the window it was found in."""
    box = box_of(alpha_hw > 0.5)
    if box is None:
        return None
    scale = window.side / alpha_hw.shape[0]
    found = around(
        (
            box[0] * scale + window.x,
            box[1] * scale + window.y,
            box[2] * scale + window.x,
            box[3] * scale + window.y,
        ),
        width,
        height,
    )
    return found if found.side < _CLOSER_BELOW * window.side else None


def _is_in(point: Point, window: Window) -> bool:
    return 0 <= point[0] - window.x < window.side and 0 <= point[1] - window.y < window.side
