"""How good the mask network is on scenes kept apart, per kind of prompt: for the training log."""

from __future__ import annotations

import numpy as np

from engine.imaging import iou
from training.reflayer.tiny.looks import look_twice
from training.reflayer.tiny.mask_network import MaskNetwork
from training.reflayer.tiny.samples import draw_sample
from training.reflayer.tiny.scenes import SceneStore

SEED = 77


def validate(network: MaskNetwork, store: SceneStore, count: int = 160) -> dict[str, float]:
    """Mean alpha IoU of both looks per kind (``box_1``, ``box_2``), and the share of hidden pixels found."""
    scores: dict[str, list[float]] = {}
    for number in range(count):
        sample = draw_sample(store, SEED, number, as_is=True)
        truth, hidden = sample.target.alpha > 0.5, sample.target.hidden
        for look, (alpha, _) in enumerate(look_twice(network, sample.source_hwc, sample.prompt), 1):
            scores.setdefault(f"{sample.kind}_{look}", []).append(iou(alpha > 0.5, truth))
            if hidden.sum() > 0.05 * truth.sum():
                scores.setdefault(f"hidden_{look}", []).append(float((alpha > 0.5)[hidden].mean()))
    return {name: round(float(np.mean(values)), 4) for name, values in sorted(scores.items())}
