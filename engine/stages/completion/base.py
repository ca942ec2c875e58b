"""Layer completion: the hidden part of every object, and the background without any object (stage 3).

Reads instances and ``in_front``. Fills ``amodal_hw`` and ``completed_hwc`` of each kept foreground and appends
the background (key ``"bg"``, label ``"background"``, ``amodal_hw`` all true, ``visible_hw`` = no object there).
Visible pixels are copied from the source, never repainted; a hidden part never covers pixels that belong to an
object behind, or to the background: it lies under the objects in front.
"""

import numpy as np

from engine.records import LayerKind, Scene
from engine.runner import BrokenPromise


def check(scene: Scene) -> None:
    """Raise ``BrokenPromise`` on repainted visible pixels, growth over things behind, or no background."""
    rank = {instance.key: number for number, instance in enumerate(scene.instances)}
    backgrounds = [i for i in scene.instances if i.kind is LayerKind.BACKGROUND]
    if len(backgrounds) != 1 or scene.instances[-1] is not backgrounds[0]:
        raise BrokenPromise("exactly one background, last in the list")
    for instance in scene.kept_instances:
        amodal, completed = instance.amodal_hw, instance.completed_hwc
        if amodal is None or completed is None:
            raise BrokenPromise(f"{instance.key} was not completed")
        if (instance.visible_hw & ~amodal).any():
            raise BrokenPromise(f"amodal mask of {instance.key} does not contain its visible mask")
        if not np.array_equal(completed[instance.visible_hw], scene.image_hwc[instance.visible_hw]):
            raise BrokenPromise(f"visible pixels of {instance.key} were repainted")
        hidden = amodal & ~instance.visible_hw
        if instance.kind is LayerKind.BACKGROUND or not hidden.any():
            continue
        in_front = np.zeros_like(hidden)
        for other in scene.instances:
            if rank[other.key] < rank[instance.key]:
                in_front |= other.visible_hw
        if (hidden & ~in_front).any():
            raise BrokenPromise(f"hidden part of {instance.key} lies outside what is in front of it")
