"""A photo with a disc and its layer with a bite out, as rows, and marks that mend it."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.imaging import box_of, encode_png, sha256, thumbnail_webp
from engine.models import Layer, Project
from engine.services.files import store
from tests.engine.repair.drawn import BITE, bitten
from tests.factories import make_image, make_layer

KEEP = {"strokes": [{"tool": "keep", "points": [list(BITE), [44, 40]], "width_px": 4}]}


def make_bitten_layer(project: Project, **kwargs: Any) -> Layer:
    subject = bitten(is_occluded=False)
    photo, (height, width) = subject.image_hwc, subject.image_hwc.shape[:2]
    image = make_image(project, width=width, height=height)
    image.picture = store("pictures", encode_png(photo), "png")
    image.save()
    layer = make_layer(image, **kwargs)
    png, alpha = encode_png(subject.old.rgba_hwc), subject.old.rgba_hwc[..., 3]
    layer.sha256, layer.rgba = sha256(png), store("layers", png, "png")
    layer.visible_mask = store("masks", encode_png(subject.old.visible_hw), "png")
    layer.thumbnail = store("thumbnails", thumbnail_webp(subject.old.rgba_hwc, 160), "webp")
    layer.box, layer.area_share = list(box_of(alpha > 0) or ()), float(np.mean(alpha > 127))
    layer.save()
    return layer
