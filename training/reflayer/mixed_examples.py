"""Examples of several sources as one fixed set, each source as often as its weight says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.reflayer.examples import Example, Examples


class MixedExamples:
    """Long enough that every example of the first source comes at least once; shorter sources come round again.

    ``parts``: examples and their weights above 0. The order is a function of ``seed``.
    """

    def __init__(self, parts: Sequence[tuple[Examples, float]], seed: int = 0) -> None:
        self.parts = [(examples, weight) for examples, weight in parts if weight > 0 and len(examples)]
        if not self.parts:
            raise ValueError("no source of examples has a weight and something in it")
        total = sum(weight for _, weight in self.parts)
        first, own = self.parts[0]
        length = int(np.ceil(len(first) * total / own))
        counts = [max(1, round(length * weight / total)) for _, weight in self.parts]
        counts[0] = len(first)
        labels = np.repeat(np.arange(len(counts)), counts)
        self._part = np.random.default_rng([seed, 0x317]).permutation(labels)
        self._place = np.zeros(len(labels), np.int64)
        for number, count in enumerate(counts):
            self._place[self._part == number] = np.arange(count)

    def __len__(self) -> int:
        return len(self._part)

    def key(self, index: int) -> str:
        examples, place = self._at(index)
        return examples.key(place)

    def size(self, index: int) -> tuple[int, int]:
        examples, place = self._at(index)
        return examples.size(place)

    def __getitem__(self, index: int) -> Example:
        examples, place = self._at(index)
        return examples[place]

    def _at(self, index: int) -> tuple[Examples, int]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        examples, _ = self.parts[self._part[index]]
        return examples, int(self._place[index]) % len(examples)
