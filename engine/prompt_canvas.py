"""The prompt drawn as a picture (paper, section 3), the form in which a network sees it.

Blue is background, a green filled box, a red mask; a point is a Gaussian heat-map blended to white (the paper leaves
the point's colour and the order open: box, then mask, then points).
"""

from __future__ import annotations

import numpy as np

from engine.imaging import box_to_mask
from engine.records import Picture, Prompt

BASE = (0, 0, 255)
BOX = (0, 255, 0)
MASK = (255, 0, 0)
POINT_SIGMA_SHARE = 0.02
"""Standard deviation of a point's Gaussian, in short sides of the picture."""


def draw(prompt: Prompt, height: int, width: int) -> Picture:
    """Canvas uint8 [height, width, 3] of one prompt; text and background prompts leave it blue.

    Raises ``ValueError`` when the prompt's mask has another size.
    """
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = BASE
    if prompt.box is not None:
        canvas[box_to_mask(prompt.box, height, width)] = BOX
    if prompt.mask_hw is not None:
        if prompt.mask_hw.shape != (height, width):
            raise ValueError(f"mask is {prompt.mask_hw.shape}, canvas is {(height, width)}")
        canvas[prompt.mask_hw] = MASK
    if not prompt.points:
        return canvas
    heat = np.zeros((height, width), np.float64)
    spread = 2 * (POINT_SIGMA_SHARE * min(height, width)) ** 2
    for x, y in prompt.points:
        rows = np.exp(-((np.arange(height) + 0.5 - y) ** 2) / spread)
        columns = np.exp(-((np.arange(width) + 0.5 - x) ** 2) / spread)
        heat = np.maximum(heat, rows[:, None] * columns[None, :])
    return np.rint(canvas + (255.0 - canvas) * heat[..., None]).astype(np.uint8)
