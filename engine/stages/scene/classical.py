"""Saliency, Haar and HOG proposals, each cut out by GrabCut and merged: no weights, no prompt, modest results."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from engine.imaging import box_of
from engine.merging import Detection, by_score, drop_groups, drop_parts, merge_duplicates
from engine.occlusion import hull
from engine.records import GivenPrompt, Mask, Scene
from engine.stages.one_by_one import OneByOne
from engine.stages.scene import grabcut
from engine.stages.scene.assembly import assemble
from engine.stages.scene.proposals import Proposal, propose


@dataclass(frozen=True, slots=True)
class Params:
    working_px: int = 384
    max_proposals: int = 6
    min_area_share: float = 0.005
    max_area_share: float = 0.75
    min_solidity: float = 0.35
    """Area over hull area; below it a mask is a scatter of background pieces."""


class Classical(OneByOne):
    """Takes the best proposals, cuts them out, and keeps those that look like one solid thing."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)

    def work_on(self, scene: Scene) -> None:
        seed = int(scene.rng("scene").integers(2**31))
        proposals = propose(scene.image_hwc, self.params.working_px)
        per_source = Counter(p.source for p in proposals)
        scene.numbers["scene"] = {
            f"proposals_{source}": float(per_source[source]) for source in ("saliency", "haar", "hog")
        }
        best = sorted(proposals, key=lambda p: (-p.score, p.source, p.box))[: self.params.max_proposals]
        cut = [d for p in best if (d := self._cut(scene, p, seed)) is not None]
        detections = drop_parts(drop_groups(merge_duplicates(cut)))
        assemble(scene, by_score(detections))

    def _cut(self, scene: Scene, proposal: Proposal, seed: int) -> Detection | None:
        prompt = GivenPrompt(proposal.label, proposal.box)
        mask = grabcut.cut_out(scene.image_hwc, prompt, seed)
        box, share = box_of(mask), float(mask.mean())
        if box is None or not self.params.min_area_share <= share <= self.params.max_area_share:
            return None
        if solidity(mask) < self.params.min_solidity:
            return None
        return Detection(proposal.label, proposal.score, proposal.source, box, mask)


def solidity(mask_hw: Mask) -> float:
    """Area over the area of the convex hull, 0..1."""
    return float(mask_hw.sum() / max(1, int(hull(mask_hw).sum())))
