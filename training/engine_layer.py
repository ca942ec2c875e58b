"""One prompt answered by the engine's ``cpu`` recipe, to stand beside a checkpoint's answer.

Scene, completion and postprocess of the recipe; its prefilter and postfilter choose pictures for a dataset, which
nobody asked for here.
"""

from __future__ import annotations

import numpy as np

from engine import recipes, registry
from engine.imaging import encode_png, sha256
from engine.records import GivenPrompt, Instance, Picture, Prompt, PromptKind, RGBALayer, Scene, Stroke
from engine.refusals import Refusal
from engine.runner import Outcome, run_stage

DOT_PX = 3.0
STAGES = ("scene", "completion", "postprocess")


def layer_of(image_hwc: Picture, prompt: Prompt, seed: int = 0) -> RGBALayer:
    """A box or a mask is given to the recipe; a point chooses among what it proposes by itself.

    Raises ``Refusal``: ``nothing_found`` when it has no object there, ``stage_failed``.
    """
    scene = Scene(sha256(encode_png(image_hwc)), image_hwc, seed=seed, given=_given(prompt))
    for spec in recipes.cpu().stages:
        if spec.stage not in STAGES:
            continue
        backend = registry.load(spec.stage, spec.backend, spec.params)
        for report in run_stage([scene], spec, backend):
            if report.outcome is Outcome.FAILED:
                raise Refusal("stage_failed", f"The stage {report.stage} failed: {report.reason}", 500)
    found = scene.background if prompt.kind is PromptKind.BACKGROUND else _asked(scene, prompt)
    if found is None or found.layer is None:
        raise Refusal("nothing_found", "The cpu engine finds no object there; a box round it says more.")
    return found.layer


def _given(prompt: Prompt) -> tuple[GivenPrompt, ...]:
    if prompt.box is None and prompt.mask_hw is None:
        return ()
    dots = tuple(Stroke((point,), DOT_PX, keep=True) for point in prompt.points)
    return (GivenPrompt(prompt.text or "object", prompt.box, prompt.mask_hw, dots),)


def _asked(scene: Scene, prompt: Prompt) -> Instance | None:
    if scene.given:
        return next(iter(scene.foregrounds), None)
    hits = {one.key: sum(bool(one.visible_hw[int(y), int(x)]) for x, y in prompt.points) for one in scene.foregrounds}
    under = [one for one in scene.foregrounds if hits[one.key]]
    return max(under, key=lambda one: (hits[one.key], -np.count_nonzero(one.visible_hw)), default=None)
