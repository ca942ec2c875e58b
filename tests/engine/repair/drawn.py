"""For repairs: a red disc on a green ground, a grey bar in front, and the disc's layer with a bite out."""

from __future__ import annotations

import numpy as np

from engine.records import Mask, RGBALayer
from engine.repair.mending import Subject

HEIGHT, WIDTH = 96, 128
CENTRE, RADIUS = (60.0, 48.0), 30.0
BITE, BITE_RADIUS = (42.0, 40.0), 12.0


def disc(centre: tuple[float, float], radius: float) -> Mask:
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    return np.hypot(xs - centre[0], ys - centre[1]) < radius


def bar() -> Mask:
    out = np.zeros((HEIGHT, WIDTH), bool)
    out[:, 76:86] = True
    return out


def bitten(is_occluded: bool = True) -> Subject:
    """The truth of the disc is ``disc(CENTRE, RADIUS)``; of its layer the bite is missing."""
    rng = np.random.default_rng(4)
    photo = np.empty((HEIGHT, WIDTH, 3), np.float64)
    photo[:] = (60, 130, 70)
    whole, cover = disc(CENTRE, RADIUS), bar() if is_occluded else np.zeros((HEIGHT, WIDTH), bool)
    photo[whole] = (190, 60, 50)
    photo[cover] = (120, 120, 125)
    image = np.clip(photo + rng.normal(0, 5, photo.shape), 0, 255).astype(np.uint8)
    alpha = (whole & ~disc(BITE, BITE_RADIUS)).astype(np.uint8) * 255
    colour = image.copy()
    colour[whole & cover] = (200, 50, 40)
    old = RGBALayer(np.dstack([colour, alpha]), (alpha > 0) & ~cover)
    return Subject(image, old, cover, np.full_like(image, (60, 130, 70)))
