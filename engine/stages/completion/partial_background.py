"""What lies behind one object: the background with every object behind it, completed, still in place."""

from __future__ import annotations

import numpy as np

from engine.records import Instance, LayerKind, Picture, Scene


def behind(scene: Scene, instance: Instance) -> Picture:
    """The picture as it would be without ``instance`` and without all that stands before it in the list.

    Needs completed instances and a background. Objects behind lie on it with their hard amodal masks.
    """
    background = scene.background
    if background is None or background.completed_hwc is None:
        raise ValueError("the scene has no background yet")
    out = background.completed_hwc.copy()
    rank = {other.key: number for number, other in enumerate(scene.instances)}
    for other in reversed(scene.instances):
        is_behind = rank[other.key] > rank[instance.key] and other.kind is LayerKind.FOREGROUND and other.is_kept
        if is_behind and other.amodal_hw is not None and other.completed_hwc is not None:
            out[other.amodal_hw] = other.completed_hwc[other.amodal_hw]
    return np.asarray(out, np.uint8)
