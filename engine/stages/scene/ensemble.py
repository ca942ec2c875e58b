"""Networks of many kinds merged into one list of objects (paper, section 4: closed set, open vocabulary, language).

Detectors propose, scores are put on one scale, boxes are fused, a segmenter gives every candidate a mask, masks are
merged, and who is in front of whom comes from shape and depth. Where a picture has given prompts these take the place
of all detection, for a person named them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from engine import networks, occlusion_evidence
from engine.box_fusion import Candidate
from engine.imaging import box_of, clip_box
from engine.labels import agree, elect, is_part_noun
from engine.mask_choice import choose
from engine.merging import Detection, by_score, drop_groups, drop_parts, merge_duplicates, tidy
from engine.occlusion import Order
from engine.records import Box, GivenPrompt, Mask, Scene
from engine.score_calibration import Curve
from engine.stages.roles import Agreement, DepthEstimator, Detector, Floats, Language, Masks, Segmenter, SpatialPrompt
from engine.stages.scene import grabcut, order_question
from engine.stages.scene.assembly import assemble
from engine.stages.scene.candidates import gather
from engine.vocabulary import NOUNS

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Params:
    """Networks are specs of ``engine.networks``."""

    detectors: Sequence[Spec] = ({"network": "rf_detr"}, {"network": "grounding_dino"})
    segmenter: Spec = field(default_factory=lambda: {"network": "sam2"})
    depth: Spec | None = field(default_factory=lambda: {"network": "depth_anything"})
    agreement: Spec | None = None
    """Chooses the nouns that fit a picture; without it all of ``vocabulary`` are asked for."""
    order: Spec | None = None
    """A language network, asked about pairs whose order shape and depth leave open."""
    vocabulary: Sequence[str] = NOUNS
    nouns: int = 20
    least_score: float = 0.35
    """Of an object, all its witnesses together."""
    least_area_share: float = 0.0005
    max_area_share: float = 0.8
    most: int = 50
    curves: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    """Source to ``{"scores": [...], "precisions": [...]}``; sources without one go by rank."""


class Ensemble:
    """Takes the whole batch through one network after the other."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)
        self.sources: list[tuple[str, Detector]] = [
            (str(spec["network"]), networks.make(spec)) for spec in self.params.detectors
        ]
        self.segmenter: Segmenter = networks.make(self.params.segmenter)
        self.depth: DepthEstimator | None = networks.make(self.params.depth) if self.params.depth else None
        self.agreement: Agreement | None = networks.make(self.params.agreement) if self.params.agreement else None
        self.order: Language | None = networks.make(self.params.order) if self.params.order else None
        self.curves = {
            source: Curve(tuple(curve["scores"]), tuple(curve["precisions"]))
            for source, curve in self.params.curves.items()
        }

    def load(self, device: str = "cpu", dtype: str = "float32") -> None:
        others = (self.segmenter, self.depth, self.agreement, self.order)
        for network in (*(detector for _, detector in self.sources), *others):
            if network is not None:
                network.load(device, dtype)

    def __call__(self, scenes: list[Scene]) -> list[Scene]:
        kept = [scene for scene in scenes if scene.is_kept]
        told, untold = [s for s in kept if s.given], [s for s in kept if not s.given]
        found = {id(scene): detections for scene, detections in zip(told, self._cut_given(told), strict=True)}
        found |= {id(scene): detections for scene, detections in zip(untold, self._detect(untold), strict=True)}
        for scene, depth_hw in zip(kept, self._depths(kept), strict=True):
            order_of = partial(self._order, scene, depth_hw)
            assemble(scene, found[id(scene)], order_of=order_of, is_order_trusted=not scene.given)
        return scenes

    def _order(
        self, scene: Scene, depth_hw: Floats | None, masks: Sequence[Mask], boxes: Sequence[Box | None]
    ) -> Order:
        settle = partial(order_question.settle, self.order, scene.image_hwc, masks) if self.order else None
        return occlusion_evidence.order(masks, boxes, depth_hw, settle)

    def _depths(self, scenes: Sequence[Scene]) -> Sequence[Floats | None]:
        if self.depth is None or not scenes:
            return [None] * len(scenes)
        return self.depth([scene.image_hwc for scene in scenes])

    # --- nothing given -------------------------------------------------------------------------------------------

    def _detect(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        params, pictures = self.params, [scene.image_hwc for scene in scenes]
        if not pictures:
            return []
        candidates = gather(pictures, self.sources, params.vocabulary, params.nouns, self.agreement, self.curves)
        sure = [[c for c in some if c.score >= params.least_score][: params.most] for some in candidates]
        masks = self.segmenter(pictures, [[SpatialPrompt(box=c.box) for c in some] for some in sure])
        out = []
        for scene, every, some, answers in zip(scenes, candidates, sure, masks, strict=True):
            detections = [d for c, a in zip(some, answers, strict=True) if (d := self._detection(c, a)) is not None]
            merged = drop_groups(merge_duplicates(detections), alike=agree)
            merged = drop_parts(merged, can_be_part=_can_be_part)
            scene.numbers["scene"] = {
                "candidates": float(len(every)),
                "too_unsure": float(len(every) - len(some)),
                "with_mask": float(len(detections)),
                "merged_away": float(len(detections) - len(merged)),
            }
            out.append(by_score(merged))
        return out

    def _detection(self, candidate: Candidate, masks: Masks) -> Detection | None:
        mask = choose(masks, candidate.box, candidate.mask_hw)
        mask = tidy(mask) if mask is not None else None
        box = box_of(mask) if mask is not None else None
        if mask is None or box is None:
            return None
        if not self.params.least_area_share <= float(mask.mean()) <= self.params.max_area_share:
            return None
        sources = {vote.source for vote in candidate.votes}
        source = sources.pop() if len(sources) == 1 else "merged"
        return Detection(elect(candidate.votes)[0], candidate.score, source, box, mask, votes=candidate.votes)

    # --- given prompts -------------------------------------------------------------------------------------------

    def _cut_given(self, scenes: Sequence[Scene]) -> list[list[Detection]]:
        prompts = [[_spatial(prompt, scene) for prompt in scene.given] for scene in scenes]
        asked = [[prompt for prompt in some if prompt is not None] for some in prompts]
        masks = self.segmenter([scene.image_hwc for scene in scenes], asked) if scenes else []
        out = []
        for scene, some, answers in zip(scenes, prompts, masks, strict=True):
            following = iter(answers)
            cut = [
                _given(given, scene, prompt, next(following) if prompt is not None else None)
                for given, prompt in zip(scene.given, some, strict=True)
            ]
            scene.numbers["scene"] = {"proposals_given": float(len(scene.given))}
            out.append([detection for detection in cut if detection is not None])
        return out


def _can_be_part(part: str, whole: str) -> bool:
    return agree(part, whole) or is_part_noun(part, whole)


def _spatial(given: GivenPrompt, scene: Scene) -> SpatialPrompt | None:
    """What to ask the segmenter; ``None`` for a given mask, which is the answer already, and for nothing to ask."""
    width, height = scene.size_wh
    box = clip_box(given.box, width, height) if given.box is not None else None
    if given.mask_hw is not None or (box is None and not any(stroke.keep for stroke in given.strokes)):
        return None
    points = {True: [], False: []}  # type: dict[bool, list[tuple[float, float]]]
    for stroke in given.strokes:
        middle = stroke.points[len(stroke.points) // 2] if stroke.points else None
        if middle is not None and 0 <= middle[0] < width and 0 <= middle[1] < height:
            points[stroke.keep].append(middle)
    return SpatialPrompt(box, tuple(points[True]), tuple(points[False])) if box or points[True] else None


def _given(given: GivenPrompt, scene: Scene, prompt: SpatialPrompt | None, masks: Masks | None) -> Detection | None:
    """Strokes and a given mask decide over the segmenter; where it finds nothing the ellipse in the box stands in."""
    width, height = scene.size_wh
    keep, remove = grabcut.paint(given, height, width)
    mask: Mask | None = given.mask_hw if given.mask_hw is not None and given.mask_hw.shape == (height, width) else None
    if mask is None and masks is not None and prompt is not None:
        mask = choose(masks, prompt.box)
        if mask is None and prompt.box is not None:
            mask = grabcut.ellipse(prompt.box, height, width)
    if mask is None:
        return None
    mask = np.asarray((mask | keep) & ~remove, bool)
    tight = box_of(mask)
    if tight is None:
        return None
    box: Box = (clip_box(given.box, width, height) if given.box is not None else None) or tight
    return Detection(given.label, 1.0, "given", box, mask, given)
