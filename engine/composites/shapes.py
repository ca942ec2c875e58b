"""Drawn silhouettes: families of outlines, rasterised with soft edges.

An outline is a list of parts that are united; a part is a list of contours filled by the even-odd rule (so a
second contour is a hole). Contours are ``[N,2]`` float in a unit square from -1 to 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

Contour = NDArray[np.float64]
Outline = list[list[Contour]]
Rng = np.random.Generator

SUPERSAMPLING = 4
_TURN = np.linspace(0, 2 * np.pi, 128, endpoint=False)


def _polar(radius: NDArray[np.float64]) -> Contour:
    return np.stack([radius * np.cos(_TURN), radius * np.sin(_TURN)], axis=1)


def _ellipse(cx: float, cy: float, rx: float, ry: float, angle: float = 0.0) -> Contour:
    x, y = rx * np.cos(_TURN), ry * np.sin(_TURN)
    return np.stack([cx + x * np.cos(angle) - y * np.sin(angle), cy + x * np.sin(angle) + y * np.cos(angle)], axis=1)


def _limb(ax: float, ay: float, bx: float, by: float, wide: float, narrow: float) -> Contour:
    """A tapered capsule from a to b."""
    along = np.arctan2(by - ay, bx - ax)
    half = np.linspace(np.pi / 2, 3 * np.pi / 2, 16)
    start = np.stack([ax + wide * np.cos(half + along), ay + wide * np.sin(half + along)], axis=1)
    end = np.stack([bx - narrow * np.cos(half + along), by - narrow * np.sin(half + along)], axis=1)
    return np.concatenate([start, end])


def _blob(rng: Rng) -> Outline:
    order = np.arange(2, 7)
    size = rng.normal(0, 0.35, order.size) / order**1.1
    phase = rng.uniform(0, 2 * np.pi, order.size)
    radius = 1 + (size[:, None] * np.cos(order[:, None] * _TURN + phase[:, None])).sum(0)
    return [[_polar(np.maximum(radius, 0.25)) * [1.0, rng.uniform(0.55, 1.0)]]]


def _polygon(rng: Rng) -> Outline:
    count = int(rng.integers(3, 8))
    turns = np.sort((np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count)
    radius = rng.uniform(0.7, 1.0, count)
    return [[np.stack([radius * np.cos(turns), radius * np.sin(turns)], axis=1)]]


def _ellipses(rng: Rng) -> Outline:
    parts = [[_ellipse(0, 0, rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.7), rng.uniform(0, np.pi))]]
    for _ in range(int(rng.integers(1, 4))):
        turn = rng.uniform(0, 2 * np.pi)
        size = rng.uniform(0.25, 0.5, 2)
        parts.append([_ellipse(0.55 * np.cos(turn), 0.55 * np.sin(turn), size[0], size[1], rng.uniform(0, np.pi))])
    return parts


@cache
def _glyph(letter: str) -> tuple[Contour, ...]:
    path = TextPath((0, 0), letter, size=2, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    contours = [np.asarray(c, np.float64) * [1, -1] for c in path.to_polygons()]
    every = np.concatenate(contours)
    middle = (every.min(0) + every.max(0)) / 2
    return tuple(c - middle for c in contours)


def _letter(rng: Rng) -> Outline:
    return [list(_glyph(str(rng.choice(list("ABDEFGHKLMNPQRSTUXYZ235689&")))))]


def _star(rng: Rng) -> Outline:
    count = int(rng.integers(4, 10))
    radius = np.where(np.arange(2 * count) % 2 == 0, 1.0, rng.uniform(0.4, 0.7))
    turns = np.arange(2 * count) * np.pi / count
    return [[np.stack([radius * np.cos(turns), radius * np.sin(turns)], axis=1)]]


def _superellipse(rng: Rng) -> Outline:
    power = 2 / rng.choice([0.8, 1.2, 3.0, 4.0, 8.0])
    c, s = np.cos(_TURN), np.sin(_TURN)
    x = np.sign(c) * np.abs(c) ** power
    y = np.sign(s) * np.abs(s) ** power * rng.uniform(0.4, 1.0)
    return [[np.stack([x, y], axis=1)]]


def _crescent(rng: Rng) -> Outline:
    half = rng.uniform(1.7, 2.4)
    outer = np.linspace(-half, half, 64)
    reach = rng.uniform(-0.3, 0.35)
    tip_x, tip_y = np.cos(half), np.sin(half)
    inner = np.linspace(1, -1, 48)
    hollow = np.stack([tip_x + (reach - tip_x + 0.3) * (1 - inner**2), tip_y * inner], axis=1)
    return [[np.concatenate([np.stack([np.cos(outer), np.sin(outer)], axis=1), hollow]) * [-1.0, 1.0]]]


def _ring(rng: Rng) -> Outline:
    ry, hole = rng.uniform(0.6, 1.0), rng.uniform(0.35, 0.65)
    return [[_ellipse(0, 0, 1, ry), _ellipse(rng.uniform(-0.1, 0.1), 0, hole, hole * ry)]]


def _figure(rng: Rng) -> Outline:
    """Head, trunk, arms and legs, each limb with one joint."""
    parts = [[_ellipse(0, -0.78, 0.2, 0.23)], [_limb(0, -0.45, 0, 0.12, 0.24, 0.19)]]
    for side in (-1, 1):
        for hip_y, upper, lower, wide in ((-0.48, 0.4, 0.38, 0.1), (0.15, 0.45, 0.45, 0.12)):
            bend = rng.uniform(0.15, 1.1) if hip_y < 0 else rng.uniform(0.05, 0.45)
            knee = bend + rng.uniform(-0.7, 0.4)
            ax, ay = side * (0.2 if hip_y < 0 else 0.1), hip_y
            bx, by = ax + side * upper * np.sin(bend), ay + upper * np.cos(bend)
            cx, cy = bx + side * lower * np.sin(knee), by + lower * np.cos(knee)
            parts += [[_limb(ax, ay, bx, by, wide, 0.85 * wide)], [_limb(bx, by, cx, cy, 0.85 * wide, 0.7 * wide)]]
    return parts


def _vessel(rng: Rng) -> Outline:
    """A turned profile: bottles, vases, cups, bells."""
    height = np.linspace(-1, 1, 48)
    knots = rng.uniform(0.18, 0.62, 5)
    width = np.interp(height, np.linspace(-1, 1, 5), knots)
    width = np.convolve(np.pad(width, 6, mode="edge"), np.ones(13) / 13, mode="valid")
    right = np.stack([width, height], axis=1)
    return [[np.concatenate([right, (right * [-1.0, 1.0])[::-1]])]]


def _leaf(rng: Rng) -> Outline:
    """A stem with pointed leaves."""
    parts = [[_limb(0, 1, rng.uniform(-0.2, 0.2), -0.6, 0.05, 0.03)]]
    s = np.linspace(0, 1, 24)
    for index in range(int(rng.integers(3, 7))):
        turn = -np.pi / 2 + (1 if index % 2 else -1) * rng.uniform(0.1, 1.2)
        long, fat = rng.uniform(0.5, 0.95), rng.uniform(0.12, 0.28)
        bow = fat * np.sin(np.pi * s**0.8)
        blade = np.concatenate([np.stack([long * s, bow], 1), np.stack([long * s, -bow], 1)[::-1]])
        turned = blade @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        parts.append([turned + np.array([0, 0.75 - 0.22 * index])])
    return parts


FAMILIES: dict[str, Callable[[Rng], Outline]] = {
    "blob": _blob,
    "crescent": _crescent,
    "ellipses": _ellipses,
    "figure": _figure,
    "leaf": _leaf,
    "letter": _letter,
    "polygon": _polygon,
    "ring": _ring,
    "star": _star,
    "superellipse": _superellipse,
    "vessel": _vessel,
}
"""Family name to outline function. Keep some names out of training to test on shapes never seen."""

_UPRIGHT = frozenset({"figure", "leaf", "letter", "vessel"})


def _ragged(contour: Contour, rng: Rng, amount: float) -> Contour:
    """Push a contour's points about by noise that is smooth over a few points."""
    closed = np.concatenate([contour, contour[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    at = np.linspace(0, along[-1], 240, endpoint=False)
    dense = np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], axis=1)
    noise = rng.normal(0, 1, (240, 2))
    return dense + amount * (noise + np.roll(noise, 1, axis=0))


def draw(family: str, longest_px: int, rng: Rng) -> NDArray[np.uint8]:
    """Alpha of one random shape, ``[H,W]`` uint8, cropped to the shape with a margin for its soft edge.

    ``longest_px`` is the longer side of the shape without the margin. Three in ten have a blurred edge, one
    in eight a ragged one.
    """
    outline = FAMILIES[family](rng)
    turn = rng.normal(0, 0.15) if family in _UPRIGHT else rng.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    amount = rng.uniform(0.008, 0.025) if rng.random() < 0.12 else 0.0
    sigma_px = longest_px * rng.uniform(0.008, 0.035) if rng.random() < 0.3 else 0.0
    parts = [[(_ragged(c, rng, amount) if amount else c) @ rotation.T for c in part] for part in outline]
    every = np.concatenate([c for part in parts for c in part])
    low, high = every.min(0), every.max(0)
    margin = 2 + int(np.ceil(2.5 * sigma_px))
    scale = longest_px / (high - low).max()
    width, height = np.ceil((high - low) * scale).astype(int) + 2 * margin
    fine = np.zeros((height * SUPERSAMPLING, width * SUPERSAMPLING), np.uint8)
    for part in parts:
        points = [np.rint(((c - low) * scale + margin) * SUPERSAMPLING).astype(np.int32) for c in part]
        if len(points) == 1:
            cv2.fillPoly(fine, points, 255)
        else:
            layer = np.zeros_like(fine)
            cv2.fillPoly(layer, points, 255)
            np.maximum(fine, layer, out=fine)
    alpha = cv2.resize(fine, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    if sigma_px > 0.3:
        alpha = cv2.GaussianBlur(alpha, (0, 0), sigma_px)
    return np.asarray(alpha, np.uint8)
