"""Prompts for a composite: which object is asked for, and one prompt of each kind. Boxes, points: of what shows."""

from __future__ import annotations

import numpy as np

from engine.composites.generator import Composite, TrueLayer
from engine.records import Prompt, PromptKind
from training.reflayer.tiny.samples import deep_point

KINDS = ("point", "box", "mask", "box_point", "mask_box")


def _target(made: Composite, rng: np.random.Generator) -> TrueLayer:
    """Six times in ten the object that is hidden most."""
    if rng.random() < 0.6:
        return max(made.layers, key=lambda true: true.occlusion)
    return made.layers[int(rng.integers(len(made.layers)))]


def prompts_for(true: TrueLayer, rng: np.random.Generator) -> dict[str, Prompt]:
    """One prompt of each of ``KINDS``."""
    visible = true.layer.visible_hw
    points, box = (deep_point(visible, rng, 0.6),), true.visible_box
    return {
        "point": Prompt(PromptKind.POINT, points=points),
        "box": Prompt(PromptKind.BOX, box=box),
        "mask": Prompt(PromptKind.MASK, mask_hw=visible),
        "box_point": Prompt(PromptKind.HYBRID, points=points, box=box),
        "mask_box": Prompt(PromptKind.HYBRID, box=box, mask_hw=visible),
    }


def asked(made: Composite) -> tuple[TrueLayer, dict[str, Prompt]]:
    """The object of a composite that is asked for, and the prompts."""
    rng = np.random.default_rng([made.seed, 0xE7])
    true = _target(made, rng)
    return true, prompts_for(true, rng)
