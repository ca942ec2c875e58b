"""Prompts made from masks and labels, without a language model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from engine.imaging import box_of, clip_box
from engine.records import Box, Instance, LayerKind, Mask, Point, Prompt, PromptKind, Scene
from engine.stages.one_by_one import OneByOne


@dataclass(frozen=True, slots=True)
class Params:
    max_points: int = 3
    deep_share: float = 0.3
    """Points are drawn where the depth is above this share of the deepest pixel's."""
    box_jitter: float = 0.05
    """Standard deviation of each side's shift, in box sides."""
    max_box_jitter: float = 0.15
    min_box_iou: float = 0.7


class Templates(OneByOne):
    """Point, box, mask, text and hybrid prompts for each object, one background prompt."""

    def __init__(self, **params: Any) -> None:
        self.params: Params = Params(**params)

    def work_on(self, scene: Scene) -> None:
        labels = Counter(_words(instance.label) for instance in scene.foregrounds)
        for instance in scene.kept_instances:
            if instance.kind is LayerKind.BACKGROUND:
                instance.prompts = [Prompt(PromptKind.BACKGROUND, text="background")]
            else:
                instance.prompts = self._prompts(scene, instance, labels)
        prompts = [prompt for instance in scene.kept_instances for prompt in instance.prompts]
        scene.numbers["prompts"] = {
            "prompts": float(len(prompts)),
            "ambiguous_texts": float(sum(prompt.is_ambiguous for prompt in prompts)),
        }

    def _prompts(self, scene: Scene, instance: Instance, labels: Counter[str]) -> list[Prompt]:
        rng = scene.rng("prompts", instance.key)
        text, is_ambiguous = self._text(instance, labels)
        points = self._points(instance.visible_hw, rng)
        box = self._box(instance.visible_hw, rng)
        is_point_hybrid = bool(rng.integers(2))
        return [
            Prompt(PromptKind.POINT, points=points),
            Prompt(PromptKind.BOX, box=box),
            Prompt(PromptKind.MASK, mask_hw=instance.visible_hw.copy()),
            Prompt(PromptKind.TEXT, text=text, is_ambiguous=is_ambiguous),
            Prompt(PromptKind.HYBRID, points=points[:1], text=text)
            if is_point_hybrid
            else Prompt(PromptKind.HYBRID, box=box, text=text),
        ]

    def _text(self, instance: Instance, labels: Counter[str]) -> tuple[str, bool]:
        """Words for the object and whether they fit another one of the picture as well."""
        caption = instance.given.caption.strip() if instance.given else ""
        return caption or instance.label, not caption and labels[_words(instance.label)] > 1

    def _points(self, visible_hw: Mask, rng: np.random.Generator) -> tuple[Point, ...]:
        """One to ``max_points`` pixel centres, likelier the deeper they lie inside the visible part."""
        padded = np.pad(visible_hw.astype(np.uint8), 1)
        depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
        depth = np.where(depth > self.params.deep_share * depth.max(), depth, 0.0).astype(np.float64)
        places = np.flatnonzero(depth)
        chance = depth.ravel()[places]
        count = min(int(rng.integers(1, self.params.max_points + 1)), places.size)
        picks = rng.choice(places, size=count, replace=False, p=chance / chance.sum())
        width = visible_hw.shape[1]
        return tuple((float(pick % width) + 0.5, float(pick // width) + 0.5) for pick in picks)

    def _box(self, visible_hw: Mask, rng: np.random.Generator) -> Box:
        """The visible part's box as a hand would draw it; the exact one when the hand slips too far."""
        height, width = visible_hw.shape
        tight = box_of(visible_hw)
        assert tight is not None
        limit = self.params.max_box_jitter
        shift = np.clip(rng.normal(0.0, self.params.box_jitter, 4), -limit, limit)
        wide, high = tight[2] - tight[0], tight[3] - tight[1]
        x0, y0, x1, y1 = (float(v) for v in np.asarray(tight) + shift * (wide, high, wide, high))
        drawn = clip_box((x0, y0, x1, y1), width, height)
        if drawn is None or _box_iou(drawn, tight) < self.params.min_box_iou:
            return tight
        return drawn


def _words(label: str) -> str:
    return " ".join(label.casefold().split())


def _box_iou(a: Box, b: Box) -> float:
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return wide * high / (both - wide * high)
