"""Stubs in place of the networks of a recipe: each waits as long as its network computes, and answers from the truth.

Waiting leaves the processor free, as a GPU does; everything around the networks is the engine's own and runs for real.
Costs are the aims for one H200, bfloat16 and photographs of a megapixel; a stub's own work is part of its cost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine import networks, on_demand, weights_folder
from engine.composites.generator import Composite, compose
from engine.imaging import iou
from engine.labels import canonical
from engine.networks import NETWORKS, Role
from engine.records import Box, Picture
from engine.residency import Residency
from engine.stages.completion.crop import NEUTRAL
from engine.stages.roles import Answer, Floats, Found, Hole, Masks, Question, SpatialPrompt

DEVICE_MB = 130_000
PICTURE_S = {"rf_detr": 1 / 60, "grounding_dino": 1 / 8, "owlv2": 1 / 8, "sam2": 1 / 20, "depth_anything": 1 / 60}
"""A megapixel; smaller pictures cost less by their area."""
HOLE_S = {"lama": 1 / 15, "diffusers_inpaint": 1 / 4}
"""A hole: a background, or one candidate of a hidden part in four steps."""
CROP_S = {"vitmatte": 1 / 15, "open_clip": 1 / 100, "dinov2": 1 / 100}
QUESTION_S, TOKEN_S = 1 / 50, 1 / 1000

_truth: dict[bytes, Composite] = {}


class Clock:
    """What the stubs have waited since ``restart``, in seconds."""

    def __init__(self) -> None:
        self.share, self.spent_s = 1.0, 0.0

    def restart(self, share: float) -> None:
        """Networks cost this share of their figures from now on."""
        self.share, self.spent_s = share, 0.0

    def wait(self, seconds: float, started: float) -> None:
        """Until so many seconds after ``started``."""
        wanted = seconds * self.share
        time.sleep(max(0.0, wanted - (time.perf_counter() - started)))
        self.spent_s += wanted


CLOCK = Clock()


def install(patch: pytest.MonkeyPatch) -> None:
    """Stubs for every network that has weights; nothing is read from disk."""
    stubs = {
        Role.SEGMENTER: Segmenter,
        Role.DEPTH: Depth,
        Role.LANGUAGE: Language,
        Role.MATTER: Matter,
        Role.AGREEMENT: Agreement,
        Role.FEATURES: Features,
    }
    by_name = {"rf_detr": ClosedSet, "lama": Fill, "diffusers_inpaint": Generate}
    rows = tuple(
        replace(row, path=f"{__name__}:{by_name.get(row.name, stubs.get(row.role, OpenSet)).__name__}")
        if row.weights
        else row
        for row in NETWORKS
    )
    patch.setattr(networks, "NETWORKS", rows)
    patch.setattr(weights_folder, "require", lambda name: Path(name))
    patch.setattr(on_demand, "RESIDENCY", Residency(lambda device: DEVICE_MB))


def pictures(seeds: Sequence[int], size_px: int, count: int) -> list[Picture]:
    """So many different pictures: the composites in turn, told apart by their first row."""
    out = []
    for number in range(count):
        composite = compose(seeds[number % len(seeds)], size_px)
        picture = composite.source_hwc.copy()
        picture[0, :8, 0] = list(number.to_bytes(8, "big"))
        _truth[_name(picture)] = composite
        out.append(picture)
    return out


def _name(picture: Picture) -> bytes:
    return picture[8::16, 8::16].tobytes()


class Stub:
    name = ""

    def __init__(self, weights: str, **params: Any) -> None: ...

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        """Nothing to load."""


def _area(pictures: Sequence[Picture]) -> float:
    """Megapixels, at most one a picture."""
    return sum(min(1.0, picture.shape[0] * picture.shape[1] / 2**20) for picture in pictures)


class ClosedSet(Stub):
    needs_phrases = False
    seconds = PICTURE_S["rf_detr"]

    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]:
        started = time.perf_counter()
        out = [self._found(picture, asked) for picture, asked in zip(pictures, phrases, strict=True)]
        CLOCK.wait(self.seconds * _area(pictures), started)
        return out

    def _found(self, picture: Picture, asked: Sequence[str]) -> list[Found]:
        composite = _truth.get(_name(picture))
        if composite is None:
            return []
        return [Found(canonical(t.label), 0.9, t.visible_box, t.layer.visible_hw) for t in composite.layers]


class OpenSet(ClosedSet):
    """Finds what it is asked for, one box a little off; of a picture it does not know, the first thing asked for."""

    needs_phrases = True
    seconds = PICTURE_S["grounding_dino"]

    def _found(self, picture: Picture, asked: Sequence[str]) -> list[Found]:
        composite = _truth.get(_name(picture))
        if composite is None:
            height, width = picture.shape[:2]
            return [Found(phrase, 0.2, (0.0, 0.0, float(width), float(height))) for phrase in asked[:1]]
        return [
            Found(phrase, 0.6, _shifted(true.visible_box))
            for phrase in asked
            for true in composite.layers
            if canonical(true.label) in phrase
        ]


def _shifted(box: Box) -> Box:
    x0, y0, x1, y1 = box
    return x0 + 0.02 * (x1 - x0), y0, x1, y1 - 0.02 * (y1 - y0)


class Segmenter(Stub):
    """The true visible mask for a box, or all that is not neutral grey; with it, it and its eroded shapes."""

    def __call__(self, pictures: Sequence[Picture], prompts: Sequence[Sequence[SpatialPrompt]]) -> list[list[Masks]]:
        started = time.perf_counter()
        out = [[self._masks(picture, one) for one in asked] for picture, asked in zip(pictures, prompts, strict=True)]
        CLOCK.wait(PICTURE_S["sam2"] * _area(pictures), started)
        return out

    @staticmethod
    def _masks(picture: Picture, prompt: SpatialPrompt) -> Masks:
        composite = _truth.get(_name(picture))
        mask = (picture != NEUTRAL).any(axis=2)
        if composite is not None and prompt.box is not None:
            asked = np.zeros(picture.shape[:2], bool)
            x0, y0, x1, y1 = (round(side) for side in prompt.box)
            asked[y0:y1, x0:x1] = True
            mask = max((true.layer.visible_hw for true in composite.layers), key=lambda one: iou(one, asked))
        smaller = [cv2.erode(mask.astype(np.uint8), np.ones((px, px), np.uint8)).astype(bool) for px in (9, 31)]
        return Masks(np.stack([mask, *smaller]), np.array([0.9, 0.8, 0.7], np.float32))


class Depth(Stub):
    def __call__(self, pictures: Sequence[Picture]) -> list[Floats]:
        started = time.perf_counter()
        out = [np.repeat(np.linspace(0, 1, p.shape[0], dtype=np.float32)[:, None], p.shape[1], 1) for p in pictures]
        CLOCK.wait(PICTURE_S["depth_anything"] * _area(pictures), started)
        return out


class Language(Stub):
    convention = "thousandths"

    def __call__(self, questions: Sequence[Question]) -> list[Answer]:
        started = time.perf_counter()
        out = [self._answer(question) for question in questions]
        CLOCK.wait(sum(QUESTION_S + TOKEN_S * answer.tokens for answer in out), started)
        return out

    @staticmethod
    def _answer(question: Question) -> Answer:
        """Four letters a token, as written."""
        text = json.dumps(_said(question))
        return Answer(text, len(text) // 4, shown=tuple(p.shape[1::-1] for p in question.pictures))


def _said(question: Question) -> Any:
    known = _truth.get(_name(question.pictures[0]))
    layers = known.layers if known is not None else ()
    if question.text.startswith("List every"):
        return [
            {"label": true.label, "bbox_2d": [round(1000 * side / true.layer.visible_hw.shape[0]) for side in true.box]}
            for true in layers
        ]
    if '"caption"' in question.text:
        return {"caption": f"the {layers[0].label if layers else 'thing'} beside the others, larger than most"}
    if '"in_front"' in question.text:
        return {"in_front": "neither"}
    return [{"id": number, "complete": 7, "clean": 8, "same": 9} for number in range(1, 10)]


class Fill(Stub):
    """The hole in the picture's mean colour."""

    is_generative = False
    seconds = HOLE_S["lama"]

    def __call__(self, holes: Sequence[Hole]) -> list[Picture]:
        started = time.perf_counter()
        out = []
        for hole in holes:
            picture = hole.picture_hwc.copy()
            picture[hole.hole_hw] = picture[::16, ::16].reshape(-1, 3).mean(axis=0).astype(np.uint8)
            out.append(picture)
        CLOCK.wait(self.seconds * len(holes), started)
        return out


class Generate(Fill):
    is_generative = True
    seconds = HOLE_S["diffusers_inpaint"]


class Matter(Stub):
    def __call__(self, pictures: Sequence[Picture], trimaps: Sequence[Floats]) -> list[Floats]:
        started = time.perf_counter()
        out = [np.asarray(cv2.blur(trimap, (9, 9)), np.float32) for trimap in trimaps]
        CLOCK.wait(CROP_S["vitmatte"] * len(pictures), started)
        return out


class Agreement(Stub):
    def __call__(self, pictures: Sequence[Picture], texts: Sequence[str]) -> Floats:
        CLOCK.wait(CROP_S["open_clip"] * len(pictures), time.perf_counter())
        return np.full((len(pictures), len(texts)), 0.25, np.float32)


class Features(Stub):
    def __call__(self, pictures: Sequence[Picture]) -> Floats:
        CLOCK.wait(CROP_S["dinov2"] * len(pictures), time.perf_counter())
        return np.full((len(pictures), 64), 0.125, np.float32)
