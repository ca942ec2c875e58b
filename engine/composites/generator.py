"""Composites with exact truth: a picture and the RGBA layers it was made of.

The picture *is* its layers laid over the background and rounded once (``engine.imaging.flatten``), so every layer,
also where it is hidden, the order and the background are known without error. No shadows, no reflections, no
colour change between layers: what a method gets wrong here is its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np

from engine.composites import shapes, textures
from engine.composites.cutouts import Cutouts
from engine.composites.photographs import Photographs
from engine.composites.placement import Position, place
from engine.imaging import box_of, encode_png, flatten, sha256
from engine.records import Box, GivenPrompt, Mask, Picture, RGBALayer, Scene

Rng = np.random.Generator

COUNTS = {1: 0.08, 2: 0.3, 3: 0.37, 4: 0.25}
"""How many objects are tried per scene, and how often."""


@dataclass(frozen=True, eq=False)
class TrueLayer:
    """One object of a composite, as it truly is.

    ``layer.rgba_hwc`` is the whole object inside the frame, hidden part included. ``layer.visible_hw`` is where the
    object gives more than half of the picture's value: its alpha times the transparency of all in front is above
    0.5. Visible masks are therefore disjoint, and inside ``layer.amodal_hw``.
    """

    label: str
    layer: RGBALayer

    @cached_property
    def box(self) -> Box:
        """Of the amodal mask."""
        return box_of(self.layer.amodal_hw) or (0.0, 0.0, 0.0, 0.0)

    @cached_property
    def visible_box(self) -> Box:
        return box_of(self.layer.visible_hw) or (0.0, 0.0, 0.0, 0.0)

    @cached_property
    def occlusion(self) -> float:
        """Share of the amodal mask that is not visible, 0..1."""
        return 1 - float(np.count_nonzero(self.layer.visible_hw) / np.count_nonzero(self.layer.amodal_hw))


@dataclass(frozen=True, eq=False)
class Composite:
    """A picture with its truth. ``source_hwc == flatten([layers..., opaque background])``, exactly."""

    seed: int
    source_hwc: Picture
    background_hwc: Picture
    layers: tuple[TrueLayer, ...]
    """Front to back."""
    in_front: tuple[tuple[int, int], ...]
    """Pairs of indices into ``layers`` (front, behind) whose amodal masks share pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sprite:
    label: str
    rgba_hwc: Picture


def _drawn(longest_px: int, photographs: Photographs, families: list[str], without: str, rng: Rng) -> _Sprite:
    family = families[int(rng.integers(len(families)))]
    alpha = shapes.draw(family, longest_px, rng)
    if rng.random() < 0.06:
        alpha = np.rint(alpha * rng.uniform(0.6, 0.85)).astype(np.uint8)
    height, width = alpha.shape
    return _Sprite(family, np.dstack([textures.surface(width, height, photographs, rng, without), alpha]))


def _cut_out(longest_px: int, objects: Cutouts, rng: Rng) -> _Sprite:
    name = objects.names[int(rng.integers(len(objects.names)))]
    rgba = objects[name]
    scale = longest_px / max(rgba.shape[:2])
    smoothing = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    rgba = np.asarray(cv2.resize(rgba, None, fx=scale, fy=scale, interpolation=smoothing), np.uint8)
    return _Sprite(name.rsplit(".", 1)[0], rgba[:, ::-1] if rng.random() < 0.5 else rgba)


def _is_solid(sprite: _Sprite) -> bool:
    """Whether enough of it is opaque to have an amodal mask: some cut-outs are smoke, glass or thin lines."""
    return float(np.mean(sprite.rgba_hwc[..., 3] > 127)) > 0.1


def _onto_frame(rgba_hwc: Picture, at: Position, size_px: int) -> Picture:
    """The sprite at its place in the frame, its border colours carried on outside it at alpha 0."""
    (x, y), (h, w) = at, rgba_hwc.shape[:2]
    rows = np.clip(np.arange(size_px) - y, 0, h - 1)
    cols = np.clip(np.arange(size_px) - x, 0, w - 1)
    out = rgba_hwc[rows[:, None], cols[None, :]]
    inside_y, inside_x = (np.arange(size_px) - y == rows), (np.arange(size_px) - x == cols)
    out[..., 3] *= inside_y[:, None] & inside_x[None, :]
    return out


def _visible_masks(layers: list[Picture]) -> list[Mask]:
    """Where each layer, given front to back, has a weight above one half in the composite."""
    through = np.ones(layers[0].shape[:2], np.float64)
    masks = []
    for rgba in layers:
        alpha = rgba[..., 3] / 255.0
        masks.append(alpha * through > 0.5)
        through *= 1 - alpha
    return masks


def compose(
    seed: int,
    size_px: int = 128,
    photographs: Photographs | None = None,
    objects: Cutouts | None = None,
    families: Collection[str] = tuple(shapes.FAMILIES),
    drawn_share: float = 0.3,
) -> Composite:
    """One composite, ``size_px`` square; the same arguments give the same bytes.

    ``photographs`` default to those inside installed packages. With ``objects`` only ``drawn_share`` of the objects
    are drawn, the others are cut-outs; without, all are drawn, from ``families``. Has at least one layer, each with
    about 30 % or more of its amodal mask visible. Raises ``ValueError`` for a size below 32 px or an unknown family.
    """
    if size_px < 32:
        raise ValueError(f"composites are at least 32 px, not {size_px}")
    if not families or set(families) - set(shapes.FAMILIES):
        raise ValueError(f"shape families are {', '.join(shapes.FAMILIES)}; got {', '.join(families)}")
    photographs = photographs or Photographs.from_packages()
    rng = np.random.default_rng([seed, 0xC0])
    background, name = textures.backdrop(size_px, photographs, rng)
    count = int(rng.choice(list(COUNTS), p=list(COUNTS.values())))
    sprites = []
    for _ in range(count):
        longest = round(size_px * rng.uniform(0.28, 0.68 - 0.04 * count))
        sprite = _cut_out(longest, objects, rng) if objects is not None and rng.random() >= drawn_share else None
        if sprite is None or not _is_solid(sprite):
            sprite = _drawn(longest, photographs, sorted(families), name, rng)
        sprites.append(sprite)
    positions = place([sprite.rgba_hwc[..., 3] > 127 for sprite in sprites], size_px, rng)
    placed = [(s.label, _onto_frame(s.rgba_hwc, at, size_px)) for s, at in zip(sprites, positions, strict=True) if at]
    return _with_truth(seed, background, placed[::-1])


def _with_truth(seed: int, background_hwc: Picture, placed: list[tuple[str, Picture]]) -> Composite:
    """The composite of labelled RGBA layers given front to back."""
    pictures = [rgba for _, rgba in placed]
    opaque = np.dstack([background_hwc, np.full(background_hwc.shape[:2], 255, np.uint8)])
    truths = tuple(
        TrueLayer(label, RGBALayer(rgba, visible))
        for (label, rgba), visible in zip(placed, _visible_masks(pictures), strict=True)
    )
    in_front = tuple(
        (front, behind)
        for front in range(len(truths))
        for behind in range(front + 1, len(truths))
        if (truths[front].layer.amodal_hw & truths[behind].layer.amodal_hw).any()
    )
    return Composite(seed, flatten([*pictures, opaque]), background_hwc, truths, in_front)


def to_scene(composite: Composite, prompt: Literal["box", "visible_box", "mask"] = "box") -> Scene:
    """The composite's picture with one given prompt per layer, in the order of ``composite.layers``.

    ``box`` gives the box of the whole layer, which may reach under objects in front, ``visible_box`` that of the
    visible mask, ``mask`` the visible mask itself; all with the true label.
    """
    given = {
        "box": lambda true: GivenPrompt(true.label, box=true.box),
        "visible_box": lambda true: GivenPrompt(true.label, box=true.visible_box),
        "mask": lambda true: GivenPrompt(true.label, mask_hw=true.layer.visible_hw),
    }[prompt]
    source = composite.source_hwc
    return Scene(sha256(encode_png(source)), source, seed=composite.seed, given=tuple(map(given, composite.layers)))
