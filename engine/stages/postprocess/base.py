"""Post-processing: from masks to an alpha matte with clean colours (stage 4).

Reads ``visible_hw``, ``amodal_hw``, ``completed_hwc``. Fills ``layer`` of every kept instance: RGBA, uint8, straight
alpha, colour extended under alpha 0. Where alpha is 255 and the pixel is visible the colour is the source's own.
The background is opaque everywhere.
"""

import numpy as np

from engine.records import LayerKind, Scene
from engine.runner import BrokenPromise


def check(scene: Scene) -> None:
    """Raise ``BrokenPromise`` on a missing or misshapen layer, or a changed visible pixel at full alpha."""
    for instance in scene.kept_instances:
        layer = instance.layer
        if layer is None or layer.rgba_hwc.shape != (*scene.image_hwc.shape[:2], 4):
            raise BrokenPromise(f"{instance.key} has no layer of the picture's size")
        if layer.rgba_hwc.dtype != np.uint8 or layer.visible_hw.dtype != np.bool_:
            raise BrokenPromise(f"layer of {instance.key} is not uint8 RGBA with a bool visible mask")
        opaque = layer.rgba_hwc[..., 3] == 255
        if instance.kind is LayerKind.BACKGROUND and not opaque.all():
            raise BrokenPromise("the background is not opaque")
        sure = opaque & layer.visible_hw
        if not np.array_equal(layer.rgba_hwc[sure][:, :3], scene.image_hwc[sure]):
            raise BrokenPromise(f"visible opaque pixels of {instance.key} differ from the source")
