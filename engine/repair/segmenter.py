"""Who answers marks with a mask: one interface, one table. GrabCut needs no weights; networks fit in beside it."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from engine.records import GivenPrompt, Mask, Picture

SEGMENTERS = {"grabcut": "engine.repair.grabcut:GrabCut"}
"""Name to ``module:Class``, imported on first use: the web process starts without them."""


class Segmenter(Protocol):
    """From a prompt to the visible mask of one object."""

    def segment(self, image_hwc: Picture, prompt: GivenPrompt, seed: int = 0) -> Mask:
        """Bool ``[H,W]``. A box starts the object over, a mask is where it starts; strokes correct either.

        Keep strokes are always inside, remove strokes never; the later of two that cross wins. The same arguments
        give the same mask.
        """
        ...


def load_segmenter(name: str) -> Segmenter:
    module_name, _, class_name = SEGMENTERS[name].partition(":")
    segmenter: Segmenter = getattr(import_module(module_name), class_name)()
    return segmenter
