"""Examples as tensors of one size: resized to the bucket, prompt drawn, target laid on the canvas colour."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine import prompt_canvas
from engine.records import Picture, Prompt
from training.reflayer.examples import Example

MIN_BUCKET_PX = 16


class Tensors(TypedDict):
    """Pictures ``[3, H, W]`` in -1..1, mattes ``[1, H, W]`` in 0..1, float32; batched with a leading dimension."""

    source: Tensor
    canvas: Tensor
    rgb: Tensor
    """The layer's own colours, extended under alpha 0."""
    alpha: Tensor
    visible: Tensor


def resized(array: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Area averaging to shrink, cubic to grow; the aspect may change a little, but nothing is cut off."""
    if array.shape[:2] == (height, width):
        return array
    shrinks = width * height < array.shape[0] * array.shape[1]
    smoothing = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(array, (width, height), interpolation=smoothing), np.uint8)


def resized_prompt(prompt: Prompt, from_wh: tuple[int, int], to_wh: tuple[int, int]) -> Prompt:
    """The prompt in the coordinates of the resized picture. A mask keeps at least its most covered pixel."""
    if from_wh == to_wh:
        return prompt
    across, down = to_wh[0] / from_wh[0], to_wh[1] / from_wh[1]
    box, mask = prompt.box, prompt.mask_hw
    if mask is not None:
        share = resized(mask.astype(np.uint8) * 255, *to_wh)
        mask = share >= min(128, int(share.max()))
    return replace(
        prompt,
        points=tuple((x * across, y * down) for x, y in prompt.points),
        box=None if box is None else (box[0] * across, box[1] * down, box[2] * across, box[3] * down),
        mask_hw=mask,
    )


def picture_tensor(picture_hwc: Picture) -> Tensor:
    """``[3, H, W]`` float32 in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(picture_hwc.transpose(2, 0, 1))).float() / 127.5 - 1


def to_tensors(example: Example, width: int, height: int) -> Tensors:
    """One example at the size of its bucket."""
    was_wh = (example.source_hwc.shape[1], example.source_hwc.shape[0])
    prompt = resized_prompt(example.prompt, was_wh, (width, height))
    rgba = resized(example.rgba_hwc, width, height)
    visible = resized(example.visible_hw.astype(np.uint8) * 255, width, height)
    return Tensors(
        source=picture_tensor(resized(example.source_hwc, width, height)),
        canvas=picture_tensor(prompt_canvas.draw(prompt, height, width)),
        rgb=picture_tensor(rgba[..., :3]),
        alpha=torch.from_numpy(rgba[..., 3].astype(np.float32) / 255)[None],
        visible=torch.from_numpy((visible > 127).astype(np.float32))[None],
    )
