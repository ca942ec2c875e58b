"""Surfaces for backgrounds and drawn objects: crops of photographs, 1/f noise, stripes, checks, gradients."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.composites.photographs import Photographs
from engine.records import Picture

Rng = np.random.Generator
Weights = NDArray[np.float32]


def crop(photograph_hwc: Picture, width: int, height: int, rng: Rng, smallest: float = 0.25) -> Picture:
    """A random crop in the wanted shape, its side from ``smallest`` to all of what fits, scaled and maybe mirrored."""
    full_h, full_w = photograph_hwc.shape[:2]
    fit = min(full_w / width, full_h / height)
    scale = fit * rng.uniform(smallest, 1.0)
    w, h = max(1, int(width * scale)), max(1, int(height * scale))
    x, y = int(rng.integers(0, full_w - w + 1)), int(rng.integers(0, full_h - h + 1))
    piece = photograph_hwc[y : y + h, x : x + w]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    smoothing = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(piece, (width, height), interpolation=smoothing), np.uint8)


def _colours(count: int, rng: Rng) -> NDArray[np.float32]:
    """``[count,3]`` colours 0..255 from plausible hues: seldom fully saturated, seldom black or white."""
    hsv = np.stack(
        [rng.integers(0, 180, count), 255 * rng.beta(2, 2.2, count), 255 * (0.15 + 0.8 * rng.beta(2.2, 1.6, count))],
        axis=1,
    )
    return cv2.cvtColor(hsv[None].astype(np.uint8), cv2.COLOR_HSV2RGB)[0].astype(np.float32)


def _mix(weights_hw: Weights, rng: Rng) -> Picture:
    """Weights 0..1 to a blend of two colours, sometimes with a third in the middle."""
    colours = _colours(3, rng)
    weights = weights_hw[..., None]
    out = colours[0] * (1 - weights) + colours[1] * weights
    if rng.random() < 0.5:
        peak = 4 * weights * (1 - weights)
        out = out * (1 - 0.7 * peak) + colours[2] * 0.7 * peak
    return np.clip(out, 0, 255).astype(np.uint8)


def _noise(width: int, height: int, rng: Rng) -> Weights:
    """Noise with a 1/f^k spectrum, k from 1 to 2 (van der Schaaf and van Hateren 1996 for natural pictures)."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    spectrum = np.fft.rfft2(rng.normal(size=(height, width)))
    spectrum /= np.maximum(np.hypot(fy, fx), 1 / max(width, height)) ** rng.uniform(1.0, 2.0)
    field = np.fft.irfft2(spectrum, (height, width))
    return (1 / (1 + np.exp(-1.4 * (field - field.mean()) / (field.std() + 1e-6)))).astype(np.float32)


def _stripes(width: int, height: int, rng: Rng) -> Weights:
    turn, period = rng.uniform(0, np.pi), rng.uniform(0.06, 0.25) * max(width, height)
    y, x = np.mgrid[:height, :width]
    wave = np.sin((x * np.cos(turn) + y * np.sin(turn)) * 2 * np.pi / period)
    return (0.5 + 0.5 * np.tanh(wave * rng.uniform(0.8, 4))).astype(np.float32)


def _checks(width: int, height: int, rng: Rng) -> Weights:
    turn, period = rng.uniform(0, np.pi), rng.uniform(0.12, 0.35) * max(width, height)
    y, x = np.mgrid[:height, :width]
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    wave = np.sin(u * 2 * np.pi / period) * np.sin(v * 2 * np.pi / period)
    return (0.5 + 0.5 * np.tanh(wave * 6)).astype(np.float32)


def _gradient(width: int, height: int, rng: Rng) -> Weights:
    turn = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width]
    ramp = (x / width - 0.5) * np.cos(turn) + (y / height - 0.5) * np.sin(turn)
    return np.clip(0.5 + ramp * rng.uniform(0.6, 1.4), 0, 1).astype(np.float32)


_PATTERNS = (_noise, _gradient, _stripes, _checks)


def pattern(width: int, height: int, rng: Rng) -> Picture:
    """A drawn surface ``[height,width,3]`` with a little grain."""
    make = _PATTERNS[int(rng.choice(len(_PATTERNS), p=[0.4, 0.35, 0.15, 0.1]))]
    picture = _mix(make(width, height, rng), rng).astype(np.float32)
    picture += rng.normal(0, rng.uniform(0, 5), (height, width, 1)).astype(np.float32)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def surface(width: int, height: int, photographs: Photographs, rng: Rng, without: str = "") -> Picture:
    """A surface for a drawn object: a photograph's crop or a pattern, lit from one side.

    ``without`` is the photograph behind the object, taken only when there is no other.
    """
    if rng.random() < 0.4:
        names = [name for name in photographs.names if name != without] or photographs.names
        picture = crop(photographs[str(rng.choice(names))], width, height, rng, smallest=0.15)
    else:
        picture = pattern(width, height, rng)
    light = 1 + rng.uniform(0, 0.35) * (2 * _gradient(width, height, rng)[..., None] - 1)
    return np.clip(np.rint(picture * light), 0, 255).astype(np.uint8)


def backdrop(size_px: int, photographs: Photographs, rng: Rng) -> tuple[Picture, str]:
    """The picture behind everything and the name of its photograph (empty for a pattern, one in eight)."""
    if rng.random() < 0.125:
        return pattern(size_px, size_px, rng), ""
    name = str(rng.choice(photographs.names))
    picture = crop(photographs[name], size_px, size_px, rng, smallest=0.5)
    if rng.random() < 0.25:
        sigma_px = size_px * rng.uniform(0.005, 0.02)
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.uint8)
    return picture, name
