"""Prompts with captions that a language network wrote, each checked by looking for it in the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from engine import networks
from engine.box_fusion import box_iou
from engine.imaging import box_of
from engine.language.asking import ask_json
from engine.records import Instance, Picture, Scene
from engine.stages.prompts import templates
from engine.stages.prompts.templates import Templates
from engine.stages.roles import Detector, Found, Language, Question

ASK = (
    "The second picture is a part of the first, where one object has a red outline. It was called '{label}'. Write one "
    "phrase of at most 15 words that picks out this object and no other in the first picture: what it is, how it looks "
    'and where it is in relation to something else. Answer with JSON only: {{"caption": "..."}}.'
)
_OUTLINE = (255, 0, 0)


@dataclass(frozen=True, slots=True)
class Params(templates.Params):
    """``language`` and ``locator`` are specs of ``engine.networks``; without a locator no caption is called unique."""

    language: Mapping[str, Any] = field(default_factory=lambda: {"network": "qwen_vl"})
    locator: Mapping[str, Any] | None = field(default_factory=lambda: {"network": "grounding_dino", "threshold": 0.2})
    least_iou: float = 0.6
    """Between the best hit of a caption and its object."""
    rival_share: float = 0.5
    """A second hit elsewhere with more than this share of the best one's score makes a caption ambiguous."""


class Captioned(Templates):
    """As ``templates``, with captions in place of labels where one was written and found."""

    def __init__(self, **params: Any) -> None:
        chosen = Params(**params)
        self.params, self.chosen = chosen, chosen
        self.language: Language = networks.make(chosen.language)
        self.locator: Detector | None = networks.make(chosen.locator) if chosen.locator else None
        self.texts: dict[int, tuple[str, bool]] = {}
        """Of the instances in work, by identity: other threads may have other scenes in work."""

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        self.language.load(device, dtype)
        if self.locator is not None:
            self.locator.load(device, dtype)

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        kept = [scene for scene in scenes if scene.is_kept]
        wanted = [(scene, i) for scene in kept for i in scene.foregrounds if not (i.given and i.given.caption.strip())]
        questions = [
            Question((scene.image_hwc, outlined(scene.image_hwc, i)), ASK.format(label=i.label)) for scene, i in wanted
        ]
        read = ask_json(self.language, questions, caption_of)
        captions = {id(i): one.value for (_, i), one in zip(wanted, read, strict=True) if one.value}
        tokens = Counter({id(scene): 0 for scene in kept})
        for (scene, _), one in zip(wanted, read, strict=True):
            tokens[id(scene)] += one.tokens
        checked = self._checked(kept, captions)
        self.texts.update(checked)
        try:
            super().__call__(scenes)
        finally:
            for key in checked:
                del self.texts[key]
        for scene in kept:
            told = [i for i in scene.foregrounds if id(i) in captions]
            scene.numbers["prompts"] |= {"captions": float(len(told)), "tokens": float(tokens[id(scene)])}
        return scenes

    def _checked(self, scenes: Sequence[Scene], captions: Mapping[int, str]) -> dict[int, tuple[str, bool]]:
        """Caption and whether it is ambiguous, by instance; every caption of a picture is looked for in one call."""
        asked = [[captions[id(i)] for i in scene.foregrounds if id(i) in captions] for scene in scenes]
        if self.locator is None or not any(asked):
            return {key: (caption, True) for key, caption in captions.items()}
        found = self.locator([scene.image_hwc for scene in scenes], asked)
        checked = {}
        for scene, hits in zip(scenes, found, strict=True):
            for instance in scene.foregrounds:
                if (caption := captions.get(id(instance))) is not None:
                    own = [hit for hit in hits if hit.phrase == caption]
                    checked[id(instance)] = (caption, not self._is_unique(own, instance))
        return checked

    def _is_unique(self, hits: Sequence[Found], instance: Instance) -> bool:
        box = box_of(instance.visible_hw)
        if not hits or box is None:
            return False
        best = max(hits, key=lambda hit: hit.score)
        if box_iou(best.box, box) <= self.chosen.least_iou:
            return False
        elsewhere = [hit for hit in hits if box_iou(hit.box, best.box) < 0.5]
        return all(hit.score <= self.chosen.rival_share * best.score for hit in elsewhere)

    def _text(self, instance: Instance, labels: Counter[str]) -> tuple[str, bool]:
        return self.texts.get(id(instance)) or super()._text(instance, labels)


def outlined(picture_hwc: Picture, instance: Instance, margin: float = 0.3) -> Picture:
    """A crop around the visible part with its outline drawn."""
    shown = np.ascontiguousarray(picture_hwc.copy())
    lines, _ = cv2.findContours(instance.visible_hw.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(shown, lines, -1, _OUTLINE, max(1, round(0.004 * max(picture_hwc.shape[:2]))))
    x0, y0, x1, y1 = (int(v) for v in box_of(instance.visible_hw) or (0, 0, *picture_hwc.shape[1::-1]))
    room = round(margin * max(x1 - x0, y1 - y0)) + 8
    return np.ascontiguousarray(shown[max(0, y0 - room) : y1 + room, max(0, x0 - room) : x1 + room])


def caption_of(document: Any) -> str:
    """The caption in lower case without a full stop; raises for anything that is not a short phrase."""
    if isinstance(document, list):
        document = document[0]
    words = str(document["caption"]).lower().replace(".", " ").split()
    if not 1 <= len(words) <= 30:
        raise ValueError("not a phrase")
    return " ".join(words)
