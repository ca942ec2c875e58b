"""What fine-tuning learns from: validated layers, automatic layers and composites, each as often as its weight says.

Sample ``n`` is the same whenever it is asked for, so a run that is resumed sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

from engine.composites.generator import compose
from training.reflayer.examples import Examples
from training.reflayer.tiny.layer_samples import layer_sample
from training.reflayer.tiny.samples import Rng, Sample, draw_sample, tensors_of
from training.reflayer.tiny.scenes import DRAWN_SHARE, SIZE, StoredScene, stored_scene
from training.reflayer.tiny.split import Sources, sources

FIRST_SEED = 10_000_000
"""Of composites made while training: none is among those of the shipped checkpoint."""
COMPOSITES = 1 << 20

VALIDATED, AUTOMATIC, COMPOSITE = "validated", "automatic", "composite"


class NothingToLearn(ValueError):
    """No source of samples is left that has a weight."""

    code = "nothing_to_learn"


class Composed:
    """Composites by number, made when asked for; as ``scenes.SceneStore``."""

    def __init__(self, given: Sources) -> None:
        self.given = given

    def __len__(self) -> int:
        return COMPOSITES

    def __getitem__(self, number: int) -> StoredScene:
        given = self.given
        made = compose(FIRST_SEED + number, SIZE, given.photographs, given.objects, given.families, DRAWN_SHARE)
        return stored_scene(made)


@dataclass(frozen=True)
class Mixture:
    """``shares``: source to its weight, of sources that are there; they need not sum to 1."""

    shares: Mapping[str, float]
    layers: Mapping[str, Examples]
    composed: Composed | None = field(default=None)

    def sample(self, seed: int, number: int) -> Sample:
        rng = np.random.default_rng([seed, number, 0x117])
        names = sorted(self.shares)
        weights = np.array([self.shares[name] for name in names])
        source = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        if source == COMPOSITE:
            assert self.composed is not None
            return draw_sample(self.composed, seed, number)
        return layer_sample(self.layers[source], rng)


def mixture(weights: Mapping[str, float], layers: Mapping[str, Examples], photos: Path | None = None) -> Mixture:
    """Sources without a weight or without layers are left out. Raises ``NothingToLearn`` when none is left."""
    shares = {name: weights[name] for name in layers if weights.get(name, 0) > 0 and len(layers[name])}
    composed = None
    if weights.get(COMPOSITE, 0) > 0:
        composed = Composed(sources("train", photos, None, 2 * SIZE))
        shares[COMPOSITE] = weights[COMPOSITE]
    if not shares:
        raise NothingToLearn("there is neither a layer nor a composite to learn from")
    return Mixture(shares, layers, composed)


class MixedSamples(Dataset[dict[str, torch.Tensor]]):
    """Network inputs and truth by sample number, from ``first`` on."""

    def __init__(self, mixed: Mixture, seed: int, first: int, last: int) -> None:
        self.mixed, self.seed, self.first, self.last = mixed, seed, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        cv2.setNumThreads(1)
        number = self.first + index
        return tensors_of(self.mixed.sample(self.seed, number), number)


def fixed_rng(number: int) -> Rng:
    """For samples that are the same in every run."""
    return np.random.default_rng([0x5EE, number])
