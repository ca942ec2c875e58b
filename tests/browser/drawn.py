"""Photos and layers drawn for one test, where every pixel is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.imaging import box_of, encode_png
from engine.models import Layer, Project
from engine.services.files import store
from tests.factories import make_image, make_layer

Array = NDArray[np.uint8]

ORANGE = (230, 120, 30)
BLUE = (40, 60, 200)


def flat(colour: tuple[int, ...], width: int = 320, height: int = 240) -> Array:
    return np.full((height, width, len(colour)), colour, np.uint8)


def disc(radius: float = 90, width: int = 320, height: int = 240) -> NDArray[np.float64]:
    """Alpha of a disc in the middle, its edge one pixel soft."""
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    return np.clip(radius - np.hypot(xs - width / 2, ys - height / 2) + 0.5, 0, 1)


def rgba(rgb: Array, alpha: NDArray[np.float64] | float = 1.0) -> Array:
    height, width = rgb.shape[:2]
    matte = np.broadcast_to(np.rint(np.asarray(alpha) * 255).astype(np.uint8), (height, width))
    return np.dstack([rgb, matte])


def publish(project: Project, photo: Array, *layers: tuple[str, Array], served: int = 0) -> list[Layer]:
    """The photo with its layers, front to back; only the one number ``served`` waits in the queue."""
    height, width = photo.shape[:2]
    image = make_image(project, width=width, height=height)
    image.picture = store("pictures", encode_png(photo), "png")
    image.save(update_fields=["picture"])
    made = []
    for depth, (label, pixels) in enumerate(layers):
        kind = "background" if label == "background" else "foreground"
        layer = make_layer(
            image, depth=depth, kind=kind, label=label, status="ready" if depth == served else "accepted"
        )
        layer.rgba = store("layers", encode_png(pixels), "png")
        layer.box = list(box_of(pixels[..., 3] > 0) or (0, 0, 0, 0))
        layer.save(update_fields=["rgba", "box"])
        made.append(layer)
    return made
