"""The prompts that came with the picture (a person, COCO, Label Studio), cut out: plain boxes together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.imaging import box_of, clip_box, union
from engine.merging import Detection
from engine.records import GivenPrompt, Mask, Scene
from engine.stages.one_by_one import OneByOne
from engine.stages.scene import grabcut, joint_cut
from engine.stages.scene.assembly import assemble
from engine.stages.scene.joint_cut import Params


class Given(OneByOne):
    """Every given prompt is one object; nothing is merged, for a person named them apart."""

    def __init__(self, **params: Any) -> None:
        self.params = Params(**params)

    def work_on(self, scene: Scene) -> None:
        detections = self._detect(scene)
        scene.numbers["scene"] = {"proposals_given": float(len(scene.given))}
        assemble(scene, detections)
        scene.numbers["scene"]["skipped"] = float(len(scene.given) - len(scene.instances))

    def _detect(self, scene: Scene) -> list[Detection]:
        width, height = scene.size_wh
        prompts = [p for p in scene.given if p.mask_hw is None or p.mask_hw.shape == (height, width)]
        detections = []
        for prompt, mask in zip(prompts, self._masks(scene, prompts), strict=True):
            tight = box_of(mask)
            if tight is None:
                continue
            box = (clip_box(prompt.box, width, height) if prompt.box is not None else None) or tight
            detections.append(Detection(prompt.label, 1.0, "given", box, np.asarray(mask, bool), prompt))
        return detections

    def _masks(self, scene: Scene, prompts: Sequence[GivenPrompt]) -> list[Mask]:
        """One mask per prompt: masks and strokes decide for themselves, plain boxes share what is left."""
        height, width = scene.image_hwc.shape[:2]
        seed = int(scene.rng("scene").integers(2**31))
        told = {
            k: grabcut.cut_out(scene.image_hwc, prompt, seed)
            for k, prompt in enumerate(prompts)
            if prompt.mask_hw is not None or prompt.strokes or prompt.box is None
        }
        boxes = {k: prompt.box for k, prompt in enumerate(prompts) if k not in told and prompt.box is not None}
        taken = union(told.values(), height, width)
        cut = joint_cut.cut_out_all(scene.image_hwc, list(boxes.values()), taken, self.params)
        masks = told | dict(zip(boxes, cut, strict=True))
        return [masks[k] for k in range(len(prompts))]
