"""Single layers beside the truth of their picture: the metrics that need no set of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.imaging import iou
from engine.records import Picture
from evaluation.features.networks import Networks, exact
from evaluation.metrics.alpha import Alpha
from evaluation.metrics.completion import Completion
from evaluation.metrics.pairs import LayerPair, shrink
from evaluation.metrics.preservation import Preservation
from evaluation.metrics.recomposition import Recomposition
from evaluation.metrics.results import Row
from evaluation.scoring import Protocol


def beside_its_truth(name: str, rgba_hwc: Picture, truths: Sequence[LayerPair]) -> LayerPair | None:
    """The pair of a layer with the truth that it overlaps most; ``None`` where it overlaps none.

    ``truths`` are of the layer's picture and kind. The pair is called ``name``; its fact ``truth`` names the truth.
    """
    amodal = rgba_hwc[..., 3] > 127
    best = max(truths, key=lambda truth: iou(amodal, truth.amodal_hw), default=None)
    if best is None or not (amodal & best.amodal_hw).any():
        return None
    return replace(best, name=name, predicted_hwc=rgba_hwc, facts={**best.facts, "truth": best.name})


def measure(pairs: Sequence[LayerPair], networks: Networks, protocol: Protocol | None = None) -> dict[str, Row]:
    """Name to all values, as a benchmark measures its answers."""
    terms = protocol or Protocol()
    small = [shrink(pair, terms.longest_px) for pair in pairs]
    with exact():
        parts = [
            Preservation(networks.perceptual, terms.batch).measure(small),
            Completion(networks.completion, terms.batch).measure(small),
            Alpha().measure(pairs),
            Recomposition().measure(pairs),
        ]
    rows: dict[str, Row] = {pair.name: {} for pair in pairs}
    for measured in parts:
        for pair, values in zip(pairs, measured, strict=True):
            rows[pair.name] |= values
    return rows
