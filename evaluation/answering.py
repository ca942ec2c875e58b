"""Who can be measured: checkpoints in folders, the engine's ``cpu`` recipe, and two baselines that need nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import recipes
from engine.imaging import box_of
from engine.records import Mask, Picture, Prompt, PromptKind, RGBALayer
from engine.refusals import Refusal
from training import predictors
from training.checkpoint_folder import digest_of

Answer = Callable[[Picture, Prompt], RGBALayer]
"""A picture and a prompt in its pixels to a layer. Raises ``Refusal`` where the prompt has no answer."""

GRABCUT, BOX = "grabcut", "box"
BASELINES = (GRABCUT, BOX)
POINT_SHARE = 0.3
"""Of the shorter side: the box that a point alone is taken for."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """``digest`` is of what answers: two checkpoints of one name are two producers."""

    name: str
    digest: str
    folder: Path | None = None

    @property
    def producer(self) -> str:
        """Its name among producers; the engine's is that of its runs."""
        return self.name if self.name in BASELINES else f"{self.name}@{self.digest[:8]}"

    @property
    def is_checkpoint(self) -> bool:
        return self.folder is not None

    def load(self) -> Answer:
        """Ready to answer. Raises ``training.reflayer.checkpoint.BrokenCheckpoint``."""
        if self.folder is not None:
            return _by_checkpoint(self.folder)
        return {GRABCUT: _by_grabcut, BOX: _by_box}.get(self.name, _by_engine)


def known(folders: Iterable[Path]) -> list[str]:
    return [*predictors.known(folders), *BASELINES]


def find(name: str, folders: Iterable[Path]) -> Answerer:
    """Raises ``Refusal`` 400 ``unknown_checkpoint`` that lists what there is."""
    folders = list(folders)
    if name in BASELINES:
        return Answerer(name, "")
    if name not in predictors.known(folders):
        raise Refusal("unknown_checkpoint", f"There is no checkpoint {name}; there are {', '.join(known(folders))}.")
    folder = predictors.find(name, folders).folder
    return Answerer(name, recipes.cpu().digest if folder is None else digest_of(folder), folder)


def _by_checkpoint(folder: Path) -> Answer:
    import torch

    from training.warm_pipelines import pipeline_of

    pipeline = pipeline_of(folder)

    def answer(picture_hwc: Picture, prompt: Prompt) -> RGBALayer:
        layer: RGBALayer = pipeline(picture_hwc, prompt, generator=torch.Generator().manual_seed(0))
        return layer

    return answer


def _by_engine(picture_hwc: Picture, prompt: Prompt) -> RGBALayer:
    from training.engine_layer import layer_of

    return layer_of(picture_hwc, prompt)


def _by_grabcut(picture_hwc: Picture, prompt: Prompt) -> RGBALayer:
    from evaluation.tiny_baselines import grabcut, telea_layer

    if prompt.kind is PromptKind.BACKGROUND:
        return _background(picture_hwc, prompt)
    _require_place(prompt)
    cut = grabcut(picture_hwc, prompt, seed=0)
    return telea_layer(picture_hwc, cut, cut)


def _by_box(picture_hwc: Picture, prompt: Prompt) -> RGBALayer:
    from evaluation.baselines import filled_box
    from evaluation.tiny_baselines import telea_layer

    if prompt.kind is PromptKind.BACKGROUND:
        return _background(picture_hwc, prompt)
    _require_place(prompt)
    box = prompt.box
    if box is None and prompt.mask_hw is not None:
        box = box_of(prompt.mask_hw)
    if box is None:
        x, y = prompt.points[0]
        reach = POINT_SHARE * min(picture_hwc.shape[:2]) / 2
        box = (x - reach, y - reach, x + reach, y + reach)
    filled = filled_box(picture_hwc, box)
    return telea_layer(picture_hwc, filled, filled)


def _background(picture_hwc: Picture, prompt: Prompt) -> RGBALayer:
    """The picture, with Telea's fill where the prompt says that something is in front."""
    from evaluation.baselines import telea_background

    height, width = picture_hwc.shape[:2]
    objects: Mask = np.zeros((height, width), bool) if prompt.mask_hw is None else prompt.mask_hw
    filled = telea_background(picture_hwc, objects) if objects.any() else picture_hwc
    return RGBALayer(np.dstack([filled, np.full((height, width), 255, np.uint8)]), ~objects)


def _require_place(prompt: Prompt) -> None:
    if prompt.box is None and prompt.mask_hw is None and not prompt.points:
        raise Refusal("text_only", "A baseline reads no text: give a point, a box or a mask as well.")
