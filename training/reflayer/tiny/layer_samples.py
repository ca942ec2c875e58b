"""Training samples from a dataset's layers: what people accepted, seen as the mask network sees a picture.

A layer is cut to the window of one of its prompts, as the pipeline would cut it, and brought to the core's size. Half
of the time the prompt is the layer's own; else the cut is moved (mirrored, recoloured) and another prompt is drawn.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of
from engine.records import Prompt, PromptKind
from training.reflayer.examples import Example, Examples
from training.reflayer.tiny.prompt_features import Floats
from training.reflayer.tiny.samples import KINDS, LEAST_VISIBLE_PX, Rng, Sample, Target, moved, prompt_for
from training.reflayer.tiny.scenes import StoredScene
from training.reflayer.tiny.window import CORE_PX, Window, core_picture, core_prompt, window_for

OWN_PROMPT = 0.5
"""How often the prompt is one that came with the layer."""
TRIES = 8
"""Layers that are looked at before one is taken of which little shows."""


def layer_sample(examples: Examples, rng: Rng, as_is: bool = False, index: int | None = None) -> Sample:
    """A layer by lot, or the one that is asked for; ``as_is`` keeps its own prompt and changes nothing."""
    for _ in range(TRIES):
        example = examples[int(rng.integers(len(examples))) if index is None else index]
        prompt = _with_a_place(example)
        height, width = example.source_hwc.shape[:2]
        window = window_for(prompt, width, height)
        target = _target(example, window)
        if index is not None or np.count_nonzero(target.visible) >= LEAST_VISIBLE_PX:
            break
    source = core_picture(example.source_hwc, window)
    if as_is or rng.random() < OWN_PROMPT or np.count_nonzero(target.visible) < LEAST_VISIBLE_PX:
        return Sample(source, core_prompt(prompt, window), prompt.kind.value, target)
    if prompt.kind is PromptKind.BACKGROUND:
        kind = PromptKind.BACKGROUND.value
    else:
        kinds = {name: share for name, share in KINDS.items() if name != "background"}
        kind = str(rng.choice(list(kinds), p=np.array(list(kinds.values())) / sum(kinds.values())))
    mattes = np.rint(np.stack([target.alpha, target.shows]) * 255).astype(np.uint8)
    scene = moved(StoredScene(source, mattes), rng)
    alpha, shows = (matte.astype(np.float32) / 255.0 for matte in scene.alphas)
    target = Target(alpha, shows)
    return Sample(scene.source_hwc, prompt_for(target, kind, rng), kind, target)


def _with_a_place(example: Example) -> Prompt:
    """Its prompt; a text alone says nothing to this network, so it becomes the box of what is seen."""
    prompt = example.prompt
    has_place = bool(prompt.points) or prompt.box is not None or prompt.mask_hw is not None
    if has_place or prompt.kind is PromptKind.BACKGROUND:
        return prompt
    around = example.visible_hw if example.visible_hw.any() else example.rgba_hwc[..., 3] > 0
    return Prompt(PromptKind.BOX, box=box_of(around))


def _target(example: Example, window: Window) -> Target:
    """Alpha and what of it shows at the core's size; of a background: the objects that stand before it."""
    if example.prompt.kind is PromptKind.BACKGROUND:
        objects = _core_matte((~example.visible_hw).astype(np.float32), window)
        return Target(objects, objects)
    alpha = example.rgba_hwc[..., 3].astype(np.float32) / 255.0
    return Target(_core_matte(alpha, window), _core_matte(alpha * example.visible_hw, window))


def _core_matte(matte_hw: NDArray[np.float32], window: Window) -> Floats:
    """``[CORE_PX,CORE_PX]``: the window scaled to the core, zero where it leaves the picture."""
    height, width = matte_hw.shape
    x0, y0, x1, y1 = window.core_box(width, height)
    part = np.ascontiguousarray(matte_hw[window.inside(width, height)])
    smoothing = cv2.INTER_AREA if window.side > CORE_PX else cv2.INTER_LINEAR
    out = np.zeros((CORE_PX, CORE_PX), np.float32)
    out[y0:y1, x0:x1] = cv2.resize(part, (x1 - x0, y1 - y0), interpolation=smoothing)
    return out
