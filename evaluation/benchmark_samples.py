"""A composite as benchmark items: for every layer one prompt, in turn of each kind, and one for the background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.composites.generator import Composite
from engine.imaging import union
from engine.records import Picture, Prompt, PromptKind
from evaluation.composite_pairs import pairs_of
from evaluation.composite_prompts import KINDS, prompts_for
from evaluation.metrics.pairs import LayerPair


@dataclass(frozen=True, eq=False)
class Sample:
    """A prompt about a picture, and its truth: ``pair`` with the truth as its own prediction."""

    picture_hwc: Picture
    prompt: Prompt
    pair: LayerPair


def samples_of(made: Composite) -> list[Sample]:
    """The same composite gives the same samples. The background is asked for with the masks of all objects given."""
    rng = np.random.default_rng([made.seed, 0xBE])
    *layers, background = pairs_of(made)
    samples = []
    for at, (pair, true) in enumerate(zip(layers, made.layers, strict=True)):
        prompt = prompts_for(true, rng)[KINDS[(made.seed + at) % len(KINDS)]]
        samples.append(Sample(made.source_hwc, prompt, pair))
    objects = union((true.layer.amodal_hw for true in made.layers), *made.source_hwc.shape[:2])
    asked = Prompt(PromptKind.BACKGROUND, mask_hw=objects)
    return [*samples, Sample(made.source_hwc, asked, background)]
