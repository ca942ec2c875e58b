"""Hidden parts of many objects painted together, whatever picture they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from engine.mask_choice import choose
from engine.records import Instance, Mask, Picture, Scene
from engine.stages.completion import acceptance, amodal
from engine.stages.completion.crop import NEUTRAL, Crop
from engine.stages.completion.hidden_region import ancestors, hidden_region
from engine.stages.roles import Agreement, Detector, Features, Hole, Inpainter, Segmenter, SpatialPrompt


@dataclass(frozen=True, slots=True)
class Limits:
    reach: float = 0.35
    margin: float = 0.25
    native_px: int = 768
    least_crop_px: int = 256
    grow_share: float = 0.025
    candidates: int = 2
    max_growth: float = 5.0
    agreement: float = 0.9
    min_similarity: float = 0.5


@dataclass(slots=True, eq=False)
class Judges:
    """Networks that look at what was painted; each may be missing."""

    segmenter: Segmenter | None = None
    detector: Detector | None = None
    agreement: Agreement | None = None
    features: Features | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """One object with a region in which it may go on, in its square crop at the network's size."""

    scene: Scene
    instance: Instance
    region_hw: Mask
    crop: Crop
    context: Picture
    visible: Mask
    region: Mask
    hole: Mask
    text: str
    avoid: str
    painted: list[Picture] = field(default_factory=list)
    amodal: list[Mask | None] = field(default_factory=list)


def complete(scenes: Sequence[Scene], inpainter: Inpainter, judges: Judges, limits: Limits) -> None:
    """Fill ``amodal_hw`` and ``completed_hwc`` of every kept foreground; numbers tell why candidates failed.

    An object of which no candidate may stand keeps its visible part only, and its ``scores`` say
    ``completion_failed``: it is never silently taken for whole.
    """
    jobs = []
    for scene in scenes:
        for instance in scene.foregrounds:
            instance.amodal_hw = instance.visible_hw.copy()
            instance.completed_hwc = scene.image_hwc.copy()
            region = amodal.candidate_region(scene, instance, limits.reach)
            if region.any():
                jobs.append(_job(scene, instance, region, inpainter, limits))
    if not jobs:
        return
    count = limits.candidates if inpainter.is_generative else 1
    attempts = [(job, number) for job in jobs for number in range(count)]
    holes = [Hole(job.context, job.hole, job.text, job.avoid, _seed(job, number)) for job, number in attempts]
    for (job, _), picture in zip(attempts, inpainter(holes), strict=True):
        job.painted.append(np.where(job.hole[..., None], picture, job.context).astype(np.uint8))
    _segment(jobs, judges.segmenter, limits)
    for job in jobs:
        numbers = job.scene.numbers.setdefault("completion", {})
        for reason in _settle(job, judges, limits):
            numbers[f"failed_{reason}"] = numbers.get(f"failed_{reason}", 0.0) + 1.0


def _job(scene: Scene, instance: Instance, region_hw: Mask, inpainter: Inpainter, limits: Limits) -> _Job:
    crop = Crop.around(instance.visible_hw | region_hw, limits.margin, limits.least_crop_px)
    size = min(limits.native_px, max(64, crop.side))
    is_neutral = inpainter.is_generative
    source = amodal.clean_context(scene.image_hwc, instance.visible_hw, region_hw) if is_neutral else scene.image_hwc
    visible = _resized(crop.cut(instance.visible_hw, 0), size)
    region = _resized(crop.cut(region_hw, 0), size)
    picture = cv2.resize(crop.cut(source, NEUTRAL if is_neutral else None), (size, size), interpolation=cv2.INTER_AREA)
    in_front = sorted({other.label for other in ancestors(scene, instance.key)} - {instance.label})
    return _Job(
        scene=scene,
        instance=instance,
        region_hw=region_hw,
        crop=crop,
        context=np.asarray(picture, np.uint8),
        visible=visible,
        region=region & ~visible,
        hole=amodal.grown(region & ~visible, limits.grow_share),
        text=f"{instance.label}, whole object, isolated, plain grey background",
        avoid=", ".join(in_front),
    )


def _seed(job: _Job, number: int) -> int:
    return int(job.scene.rng("completion", job.instance.key, str(number)).integers(2**32))


def _segment(jobs: Sequence[_Job], segmenter: Segmenter | None, limits: Limits) -> None:
    """Amodal mask of each candidate in its crop: by segmenting what was painted, or by shape without a segmenter."""
    if segmenter is None:
        for job in jobs:
            shape = _resized(job.crop.cut(hidden_region(job.scene, job.instance), 0), job.visible.shape[0])
            job.amodal = [job.visible | (shape & job.region) for _ in job.painted]
        return
    asked = [(job, picture) for job in jobs for picture in job.painted]
    prompts = [[_prompt(job)] for job, _ in asked]
    for (job, _), (masks,) in zip(asked, segmenter([picture for _, picture in asked], prompts), strict=True):
        painted = choose(masks, seen_hw=job.visible)
        job.amodal.append(amodal.amodal_mask(painted, job.visible, job.region, job.hole, limits.agreement))


def _prompt(job: _Job) -> SpatialPrompt:
    rows, cols = np.nonzero(job.visible | job.region)
    box = (float(cols.min()), float(rows.min()), float(cols.max() + 1), float(rows.max() + 1))
    return SpatialPrompt(box, keep=amodal.interior_points(job.visible))


def _settle(job: _Job, judges: Judges, limits: Limits) -> list[str]:
    """Take the candidate nearest to what most say that passes every test; returns why others failed."""
    instance, reasons = job.instance, []
    whole = [k for k, mask in enumerate(job.amodal) if mask is not None]
    reasons += ["segmented_as_another"] * (len(job.amodal) - len(whole))
    for place in amodal.nearest_to_mean([mask for mask in job.amodal if mask is not None]):
        number = whole[place]
        mask = job.amodal[number]
        assert mask is not None
        reason = acceptance.shape_failure(job.visible, mask, limits.max_growth)
        reason = reason or _look_failure(job, job.painted[number], mask, judges, limits)
        if not reason:
            _take(job, job.painted[number], mask)
            return reasons
        reasons.append(reason)
    instance.scores["completion_failed"] = 1.0
    return reasons


def _look_failure(job: _Job, painted: Picture, mask: Mask, judges: Judges, limits: Limits) -> str:
    hidden = mask & ~job.visible
    if not hidden.any():
        return ""
    before, after = _on_grey(job.context, job.visible), _on_grey(painted, mask)
    leak, similarity, gain = 0.0, None, None
    if judges.detector is not None and job.avoid:
        (found,) = judges.detector([after], [job.avoid.split(", ")])
        names = set(job.avoid.split(", "))
        leak = max((f.score for f in found if f.phrase in names and _is_in(f.box, hidden)), default=0.0)
    if judges.features is not None:
        both = judges.features([before, after])
        similarity = float(both[0] @ both[1])
    if judges.agreement is not None:
        cosines = judges.agreement([before, after], [f"a photo of a {job.instance.label}"])[:, 0]
        gain = float(cosines[1] - cosines[0])
    return acceptance.look_failure(leak, similarity, gain, min_similarity=limits.min_similarity)


def _take(job: _Job, painted: Picture, mask: Mask) -> None:
    """Bring the candidate back to the picture: only the hidden part, only inside the region."""
    scene, instance, side = job.scene, job.instance, job.crop.side
    full = np.asarray(cv2.resize(painted, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    shape = _resized(mask, side)
    hidden = job.crop.put(shape, np.zeros_like(instance.visible_hw)) & job.region_hw & ~instance.visible_hw
    instance.amodal_hw = instance.visible_hw | hidden
    canvas = job.crop.put(full, scene.image_hwc)
    instance.completed_hwc = amodal.paste(scene.image_hwc, canvas, instance.visible_hw, hidden)


def _on_grey(picture: Picture, mask: Mask) -> Picture:
    return np.where(mask[..., None], picture, NEUTRAL).astype(np.uint8)


def _is_in(box: tuple[float, float, float, float], hidden_hw: Mask) -> bool:
    """Whether most of what the box holds of the painted object is the hidden part."""
    x0, y0, x1, y1 = (int(v) for v in box)
    inside = hidden_hw[y0:y1, x0:x1]
    return int(np.count_nonzero(inside)) > 0.5 * int(np.count_nonzero(hidden_hw))


def _resized(mask: Mask, side: int) -> Mask:
    if mask.shape[0] == side:
        return mask
    to = cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(to > 0.5, bool)
