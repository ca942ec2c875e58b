"""Detections to the instances of a scene: disjoint masks, occlusion order, keys. Shared by all scene backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from engine import occlusion
from engine.imaging import box_of
from engine.merging import Detection, give_to_front, make_disjoint, tidy
from engine.occlusion import Order
from engine.records import Box, Instance, LayerKind, Mask, Scene
from engine.stages.scene.ownership import likeliest_owner

_RIM_SHARE = 0.003
"""Width of the ring in which the colours of two objects mix, in shorter sides of the picture."""


OrderOf = Callable[[Sequence[Mask], Sequence[Box | None]], Order]
_SURE = 0.5
"""An edge at least this confident decides about pixels that both masks claim."""


def assemble(
    scene: Scene,
    detections: Sequence[Detection],
    least_px: int = 48,
    order_of: OrderOf = occlusion.order,
    is_order_trusted: bool = False,
) -> None:
    """Fill ``instances`` (front to back) and ``in_front``; a scene left without any is dropped.

    Detections whose share of the picture falls under ``least_px`` once pixels are divided are left out. With
    ``is_order_trusted`` a pixel that two masks claim goes to the one surely in front, whatever its colour.
    """
    numbers = scene.numbers.setdefault("scene", {})
    masks = [d.mask_hw for d in detections]
    numbers["contested_share"] = _contested_share(masks)
    if masks:
        masks = make_disjoint(masks, likeliest_owner(scene.image_hwc, masks))
        taken = np.logical_or.reduce(masks)
        masks = [tidy(mask, taken & ~mask) for mask in masks]
    found = [(d, mask) for d, mask in zip(detections, masks, strict=True) if np.count_nonzero(mask) >= least_px]
    divided = [mask for _, mask in found]
    order = order_of(divided, [d.given.box if d.given else None for d, _ in found])
    if is_order_trusted:
        sure = [(front, behind) for front, behind, confidence in order.edges if confidence >= _SURE]
        divided = give_to_front([d.mask_hw for d, _ in found], divided, sure)
    ceded = cede_rims(divided, [(front, behind) for front, behind, _ in order.edges])
    found = [(detection, mask) for (detection, _), mask in zip(found, ceded, strict=True)]
    keys = {index: f"{place:02d}" for place, index in enumerate(order.ranking)}
    scene.instances = [_instance(keys[index], *found[index]) for index in order.ranking]
    scene.in_front = sorted((keys[front], keys[behind]) for front, behind, _ in order.edges)
    numbers["instances"] = float(len(found))
    numbers["order_edges"] = float(len(order.edges))
    numbers["cycles_broken"] = float(order.cycles_broken)
    if not found:
        scene.drop_reason = "no_instances"


def cede_rims(masks: Sequence[Mask], in_front: Sequence[tuple[int, int]]) -> list[Mask]:
    """Disjoint masks again: along a shared border the object in front takes a thin ring of the one behind.

    The ring's colours are mixed from both. Left to the object behind they would be copied into its layer, where they
    draw the outline of what covered it. An object that is hardly more than a ring keeps it.
    """
    out = [mask.copy() for mask in masks]
    for front, behind in in_front:
        ring = _grown(masks[front]) & out[behind]
        if 2 * np.count_nonzero(ring) < np.count_nonzero(out[behind]):
            out[front] |= ring
            out[behind] &= ~ring
    return out


def _grown(mask_hw: Mask) -> Mask:
    px = max(1, round(_RIM_SHARE * min(mask_hw.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return np.asarray(cv2.dilate(mask_hw.astype(np.uint8), kernel), bool)


def _instance(key: str, detection: Detection, visible_hw: Mask) -> Instance:
    box = detection.box if detection.given is not None and detection.given.box is not None else box_of(visible_hw)
    return Instance(
        key=key,
        label=detection.label,
        kind=LayerKind.FOREGROUND,
        score=detection.score,
        source=detection.source,
        box=box or detection.box,
        visible_hw=visible_hw,
        given=detection.given,
    )


def _contested_share(masks: Sequence[Mask]) -> float:
    """Share of all claimed pixels that more than one mask claims."""
    if not masks:
        return 0.0
    claims = np.sum(masks, axis=0, dtype=np.int32)
    return float((claims > 1).sum() / max(1, int((claims > 0).sum())))
