"""What networks do for the stages: how each role is called, in the arrays of ``engine.records``.

Every call takes a batch of pictures of any sizes and gives one answer for each, in their order. A network that finds
nothing gives an empty list; it raises only for a defect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.records import Box, Mask, Picture, Point

Floats = NDArray[np.float32]


class Loadable(Protocol):
    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        """Put the weights on the device. Raises ``MissingWeights`` that names the command to get them."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One detection: ``phrase`` is one of those asked for, or a class name of a closed set.

    ``score`` 0..1 as the network says it, comparable within one network only; ``box`` lies inside the picture.
    """

    phrase: str
    score: float
    box: Box
    mask_hw: Mask | None = None


class Detector(Loadable, Protocol):
    needs_phrases: bool
    """Whether it looks for the phrases it is given; a closed set ignores them."""

    def __call__(self, pictures: Sequence[Picture], phrases: Sequence[Sequence[str]]) -> list[list[Found]]: ...


@dataclass(frozen=True, slots=True)
class SpatialPrompt:
    """Where a mask is wanted: a box, points inside it (``keep``) and outside (``remove``), or both."""

    box: Box | None = None
    keep: tuple[Point, ...] = ()
    remove: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """The answers to one prompt: ``masks_nhw`` bool ``[N,H,W]``, ``quality`` ``[N]`` the IoU the network expects."""

    masks_nhw: NDArray[np.bool_]
    quality: Floats


class Segmenter(Loadable, Protocol):
    def __call__(
        self, pictures: Sequence[Picture], prompts: Sequence[Sequence[SpatialPrompt]]
    ) -> list[list[Masks]]: ...


class DepthEstimator(Loadable, Protocol):
    def __call__(self, pictures: Sequence[Picture]) -> list[Floats]:
        """Relative inverse depth ``[H,W]``, larger is nearer, in no unit."""


@dataclass(frozen=True, slots=True)
class Question:
    """One turn to a language network that sees: ``pictures`` are shown in order, before ``text``."""

    pictures: tuple[Picture, ...]
    text: str
    is_retry: bool = False
    """Asked a second time after an answer that could not be read: without sampling."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``tokens``: read and written, for the accounts. ``error`` says why there is no text."""

    text: str
    tokens: int = 0
    error: str = ""
    shown: tuple[tuple[int, int], ...] = ()
    """Width and height at which the network saw each picture of the question."""


class Language(Loadable, Protocol):
    convention: str
    """How it states boxes: a name of ``engine.language.coordinates.CONVENTIONS``."""

    def __call__(self, questions: Sequence[Question]) -> list[Answer]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """What to paint anew: ``hole_hw`` of ``picture_hwc``. ``avoid`` names what must not appear."""

    picture_hwc: Picture
    hole_hw: Mask
    text: str = ""
    avoid: str = ""
    seed: int = 0


class Inpainter(Loadable, Protocol):
    is_generative: bool
    """Whether it paints what the text says, differently for each seed."""

    def __call__(self, holes: Sequence[Hole]) -> list[Picture]:
        """The pictures with their holes painted; every other pixel may have changed a little, so paste back."""


class Matter(Loadable, Protocol):
    def __call__(self, pictures: Sequence[Picture], trimaps: Sequence[Floats]) -> list[Floats]:
        """Alpha ``[H,W]`` 0..1 of pictures with trimaps of 0, 0.5 (unknown) and 1."""


class Agreement(Loadable, Protocol):
    def __call__(self, pictures: Sequence[Picture], texts: Sequence[str]) -> Floats:
        """Cosine ``[pictures,texts]`` in -1..1 between every picture and every text."""


class Features(Loadable, Protocol):
    def __call__(self, pictures: Sequence[Picture]) -> Floats:
        """One unit vector a picture, ``[N,D]``."""
