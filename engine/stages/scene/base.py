"""Scene understanding: which objects are there, their visible masks, who is in front of whom (stage 2).

Reads ``image_hwc``, ``given``. Fills ``instances`` (front to back, keys ``"00"``, ``"01"``, ...), with
label, score, source, box and ``visible_hw``, and ``in_front``. Visible masks are disjoint and not empty.
A picture without any object is dropped with ``no_instances``.
"""

import numpy as np

from engine.records import Scene
from engine.runner import BrokenPromise


def check(scene: Scene) -> None:
    """Raise ``BrokenPromise`` on shared pixels, empty masks, unknown keys or an order against the list."""
    height, width = scene.image_hwc.shape[:2]
    owners = np.zeros((height, width), np.int32)
    rank = {instance.key: number for number, instance in enumerate(scene.instances)}
    if len(rank) != len(scene.instances) or not rank:
        raise BrokenPromise("scene needs instances with unique keys")
    for instance in scene.instances:
        if instance.visible_hw.shape != (height, width) or instance.visible_hw.dtype != np.bool_:
            raise BrokenPromise(f"visible mask of {instance.key} is not bool of the picture's size")
        if not instance.visible_hw.any():
            raise BrokenPromise(f"visible mask of {instance.key} is empty")
        owners += instance.visible_hw
    if owners.max(initial=0) > 1:
        raise BrokenPromise("visible masks share pixels")
    for front, behind in scene.in_front:
        if front not in rank or behind not in rank:
            raise BrokenPromise(f"order names an unknown instance: {front}, {behind}")
        if rank[front] >= rank[behind]:
            raise BrokenPromise(f"{front} is in front of {behind} but stands behind it in the list")
