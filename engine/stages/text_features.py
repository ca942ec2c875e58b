"""What a network makes of a text does not depend on the picture: vocabularies and labels are read once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

F = TypeVar("F")

MOST = 4096
"""Captions are without number, and a worker lives long: the text not asked for longest is forgotten first."""


class TextFeatures(Generic[F]):
    """``read`` gives the features of some texts; each text goes through it once as long as it is remembered."""

    def __init__(self, read: Callable[[Sequence[str]], Sequence[F]], most: int = MOST) -> None:
        self._read, self._most = read, most
        self._known: OrderedDict[str, F] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> list[F]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._read(new), strict=True))
        for text in texts:
            self._known.move_to_end(text)
        features = [self._known[text] for text in texts]
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return features
