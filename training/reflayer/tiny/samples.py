"""Training samples: a stored scene, one of its objects (or all, for the background), and a prompt for it.

Sample number ``n`` is the same whenever it is asked for, so a run that is resumed sees what it would have seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from engine.imaging import box_of
from engine.records import Box, Mask, Picture, Point, Prompt, PromptKind
from training.reflayer.tiny.prompt_features import Floats, first_look, hull
from training.reflayer.tiny.scenes import SceneStore, StoredScene, through

Rng = np.random.Generator

KINDS = {"point": 0.29, "box": 0.27, "mask": 0.2, "box_point": 0.08, "mask_box": 0.06, "background": 0.1}
"""How often each kind of prompt is drawn; ``box_point`` and ``mask_box`` are the hybrids."""
AMODAL_BOX = 0.2
"""Of the boxes: how many go around the hidden part as well, as boxes of other tools may."""
LEAST_VISIBLE_PX = 40


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What is to be found: alpha of the whole and visible share, float ``[S,S]`` 0..1; and how much is hidden."""

    alpha: Floats
    shows: Floats

    @property
    def visible(self) -> Mask:
        return self.shows > 0.5

    @property
    def hidden(self) -> Mask:
        return (self.alpha > 0.5) & ~self.visible

    @property
    def occlusion(self) -> float:
        return np.count_nonzero(self.hidden) / max(1.0, float(np.count_nonzero(self.alpha > 0.5)))


def targets(alphas: Picture) -> list[Target]:
    """One per object ``[K,S,S]``, front to back, without those of which next to nothing shows."""
    shares = through(alphas)
    every = [Target(alpha.astype(np.float32) / 255.0, share) for alpha, share in zip(alphas, shares, strict=True)]
    return [target for target in every if np.count_nonzero(target.visible) >= LEAST_VISIBLE_PX]


def everything(alphas: Picture) -> Target:
    """All objects as one, what the background is without."""
    shown = np.clip(through(alphas).sum(0), 0, 1)
    return Target(shown, shown)


def deep_point(mask_hw: Mask, rng: Rng, depth: float) -> Point:
    """A pixel of the mask at least ``depth`` times as deep inside as its deepest."""
    padded = np.pad(mask_hw.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.nonzero(distance >= max(depth * float(distance.max()), 1e-3))
    pick = int(rng.integers(len(rows)))
    return float(columns[pick]) + 0.5, float(rows[pick]) + 0.5


def _loose(box: Box, rng: Rng) -> Box:
    wide, high = box[2] - box[0], box[3] - box[1]
    x0, y0, x1, y1 = (side + rng.normal(0, 0.03) * size for side, size in zip(box, (wide, high) * 2, strict=True))
    return (min(x0, x1 - 3), min(y0, y1 - 3), max(x1, x0 + 3), max(y1, y0 + 3))


def _drawn(mask_hw: Mask, rng: Rng) -> Mask:
    """A mask as a person draws it: often exact, sometimes a little too small or too large."""
    if rng.random() < 0.7:
        return mask_hw
    kernel = np.ones((3, 3), np.uint8)
    change = cv2.erode if rng.random() < 0.5 else cv2.dilate
    changed = change(mask_hw.astype(np.uint8), kernel, iterations=int(rng.integers(1, 3))).astype(bool)
    return changed if np.count_nonzero(changed) >= LEAST_VISIBLE_PX // 2 else mask_hw


def prompt_for(target: Target, kind: str, rng: Rng) -> Prompt:
    """A prompt of a kind of ``KINDS`` as a person might give it."""
    if kind == "background":
        return Prompt(PromptKind.BACKGROUND)
    visible = target.visible
    around = target.alpha > 0.5 if rng.random() < AMODAL_BOX else visible
    box = box_of(around | visible)
    assert box is not None
    if rng.random() < 0.8:
        box = _loose(box, rng)
    points = (deep_point(visible, rng, 0.5 if rng.random() < 0.75 else 0.15),)
    mask = _drawn(visible, rng)
    return {
        "point": lambda: Prompt(PromptKind.POINT, points=points),
        "box": lambda: Prompt(PromptKind.BOX, box=box),
        "mask": lambda: Prompt(PromptKind.MASK, mask_hw=mask),
        "box_point": lambda: Prompt(PromptKind.HYBRID, points=points, box=box),
        "mask_box": lambda: Prompt(PromptKind.HYBRID, box=box, mask_hw=mask),
    }[kind]()


def moved(scene: StoredScene, rng: Rng) -> StoredScene:
    """Mirrored, turned, recoloured, a little noisy or blurred: the same scene for a network that learns shapes."""
    source, alphas = scene.source_hwc, scene.alphas
    if rng.random() < 0.5:
        source, alphas = source[:, ::-1], alphas[..., ::-1]
    turns = int(rng.choice(4, p=[0.7, 0.1, 0.1, 0.1]))
    source, alphas = np.rot90(source, turns), np.rot90(alphas, turns, axes=(1, 2))
    if rng.random() < 0.5:
        source = source[..., rng.permutation(3)]
    lut = np.arange(256, dtype=np.float32) / 255.0
    if rng.random() < 0.5:
        lut = lut ** rng.uniform(0.7, 1.4) * rng.uniform(0.75, 1.2) + rng.uniform(-0.08, 0.08)
    source = np.clip(np.rint(lut * 255), 0, 255).astype(np.uint8)[source]
    if rng.random() < 0.15:
        blurred = cv2.GaussianBlur(np.ascontiguousarray(source), (0, 0), rng.uniform(0.4, 0.8))
        source = np.asarray(blurred, np.uint8)
    if rng.random() < 0.25:
        noisy = source + rng.normal(0, rng.uniform(1, 5), source.shape)
        source = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return StoredScene(np.ascontiguousarray(source), np.ascontiguousarray(alphas))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture, a prompt for it and what is to be found."""

    source_hwc: Picture
    prompt: Prompt
    kind: str
    target: Target


class Scenes(Protocol):
    """Scenes by number, the same each time."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> StoredScene: ...


def draw_sample(store: Scenes, seed: int, number: int, as_is: bool = False) -> Sample:
    """Sample ``number`` of a run with ``seed``; ``as_is`` leaves the scene unchanged, for validation."""
    rng = np.random.default_rng([seed, number])
    while True:
        scene = store[int(rng.integers(len(store)))]
        scene = scene if as_is else moved(scene, rng)
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        found = [everything(scene.alphas)] if kind == "background" else targets(scene.alphas)
        if found:
            break
    most_hidden = max(found, key=lambda target: target.occlusion)
    target = most_hidden if rng.random() < 0.5 else found[int(rng.integers(len(found)))]
    return Sample(scene.source_hwc, prompt_for(target, kind, rng), kind, target)


@dataclass(frozen=True, slots=True)
class Window:
    """Which sample numbers a loader goes through: ``first`` up to ``last``, exclusive."""

    seed: int
    first: int
    last: int


class Samples(Dataset[dict[str, torch.Tensor]]):
    """Network inputs and truth, by sample number from ``window.first`` on."""

    def __init__(self, store: SceneStore, window: Window) -> None:
        self.store = store
        self.window = window

    def __len__(self) -> int:
        return self.window.last - self.window.first

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        cv2.setNumThreads(1)
        number = self.window.first + index
        return tensors_of(draw_sample(self.store, self.window.seed, number), number)


def tensors_of(sample: Sample, number: int) -> dict[str, torch.Tensor]:
    """Network inputs and truth of one sample; ``number`` seeds what GrabCut draws."""
    target = sample.target
    contested = target.hidden | (hull(target.visible) & ~target.visible & (target.alpha < 0.5))
    return {
        "source": torch.from_numpy(np.ascontiguousarray(sample.source_hwc)),
        "first": torch.from_numpy(first_look(sample.source_hwc, sample.prompt, number)),
        "truth": torch.from_numpy(np.stack([target.alpha, target.shows])),
        "contested": torch.from_numpy(contested[None].astype(np.float32)),
    }
