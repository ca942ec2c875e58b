"""A picture of how far the network is: some fixed samples, each with its prompt, the truth and the answer."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.imaging import encode_png
from engine.previews import checker
from engine.records import Picture
from training.reflayer.tiny.looks import look_twice
from training.reflayer.tiny.mask_network import MaskNetwork
from training.reflayer.tiny.prompt_features import Floats
from training.reflayer.tiny.samples import Sample

PROMPT_RGB = (255, 64, 64)
GAP_PX = 4


def sample_grid(network: MaskNetwork, samples: Sequence[Sample]) -> bytes:
    """PNG with a row for each sample: the picture with its prompt, the true layer, the layer as the network sees it."""
    rows = []
    for sample in samples:
        alpha, _ = look_twice(network, sample.source_hwc, sample.prompt)[1]
        rows.append([_prompted(sample), _cut(sample, sample.target.alpha), _cut(sample, alpha)])
    side = rows[0][0].shape[0]
    step = side + GAP_PX
    sheet = np.full((len(rows) * step - GAP_PX, 3 * step - GAP_PX, 3), 128, np.uint8)
    for number, row in enumerate(rows):
        for place, tile in enumerate(row):
            sheet[number * step : number * step + side, place * step : place * step + side] = tile
    return encode_png(sheet)


def _prompted(sample: Sample) -> Picture:
    out = sample.source_hwc.copy()
    prompt = sample.prompt
    if prompt.mask_hw is not None:
        out[prompt.mask_hw] = (0.6 * out[prompt.mask_hw] + 0.4 * np.array(PROMPT_RGB)).astype(np.uint8)
    if prompt.box is not None:
        x0, y0, x1, y1 = (round(value) for value in prompt.box)
        cv2.rectangle(out, (x0, y0), (x1, y1), PROMPT_RGB, 1)
    for x, y in prompt.points:
        cv2.circle(out, (round(x), round(y)), 3, PROMPT_RGB, -1)
    return out


def _cut(sample: Sample, alpha_hw: Floats) -> Picture:
    """What the mattes leave of the picture; a background sample keeps what is no object."""
    kept = (1 - alpha_hw if sample.kind == "background" else alpha_hw)[..., None]
    ground = checker(*alpha_hw.shape)
    return np.rint(kept * sample.source_hwc + (1 - kept) * ground).astype(np.uint8)
