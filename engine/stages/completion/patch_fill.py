"""Fill a hole with patches of the picture's own known part, coarse to fine.

Coherent completion by repeated matching and voting (Wexler, Shechtman and Irani 2007, *Space-Time Completion of
Video*), searched with PatchMatch; a texture measure beside the colours (Newson et al. 2014, *Video Inpainting of
Complex Scenes*) keeps fine texture from being taken for a plain area. Deterministic for a seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.records import Mask, Picture
from engine.stages.completion.patch_match import RADIUS, Floats, Ints, State, measure, sweep, vote
from engine.stages.postprocess.colour import extend

_SIZE = 2 * RADIUS + 1
_PATCH = np.ones((_SIZE, _SIZE), np.uint8)
_ROUNDS = (60, 20, 6, 3)
"""Match-and-vote rounds from the coarsest level up; the finest of several levels only needs one."""
_MIN_SOURCES = 64
"""Fewer whole known patches than this teach no texture: the pyramid stops above such a level."""
_MIN_SIDE_PX = 24
_MAX_HOLE_PX = 50_000
"""A larger hole is searched at a smaller size: time goes with its area."""
_DECAY = np.log(2.0)
"""Trust in a filled pixel halves with each pixel of distance from the known part, for the first ``_DECAY_PX``."""
_DECAY_PX = 30.0
_TEXTURE_WEIGHT = 5.0
_TEXTURE_WINDOW_PX = 8


@dataclass(slots=True, eq=False)
class _Level:
    picture: Floats
    hole: Mask
    known: Mask

    @property
    def sources(self) -> Mask:
        """Centres of patches that lie wholly in the known part."""
        known = self.known.astype(np.uint8)
        return cv2.erode(known, _PATCH, borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(bool)

    def resized(self, height: int, width: int) -> _Level:
        """Smaller; a pixel is known only where all it stands for is known, its colour comes from known pixels."""
        size = (width, height)
        weight = self.known.astype(np.float32)
        colour = cv2.resize(self.picture * weight[..., None], size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        hole = cv2.resize(self.hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        picture = colour / np.maximum(share, 1e-6)[..., None]
        return _Level(picture.astype(np.float32), hole, (share > 1 - 1e-4) & ~hole)

    def started(self) -> Floats:
        """The picture with smooth values where nothing is known."""
        return extend(np.rint(self.picture).astype(np.uint8), self.known).astype(np.float32)

    def onto(self, other: Floats) -> Floats:
        """The picture with its hole taken from a result of another size."""
        height, width = self.hole.shape
        start = cv2.resize(other, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.where(self.known[..., None], self.picture, start).astype(np.float32)


def fill(picture_hwc: Picture, hole_hw: Mask, known_hw: Mask, seed: int, working_px: int = 512) -> Picture:
    """``picture_hwc`` with ``hole_hw`` filled from ``known_hw``; every other pixel comes back unchanged.

    Patches are searched with the longer side at most ``working_px``, smaller still for a very large hole; the
    picture's own full-resolution pixels are then taken from the places found there. Smooth colours stand in where
    no whole patch is known.
    """
    result = picture_hwc.copy()
    if not hole_hw.any():
        return result
    known = known_hw & ~hole_hw
    full = _Level(_with_texture(picture_hwc, known), hole_hw, known)
    levels = _pyramid(full, working_px)
    if not levels:
        result[hole_hw] = extend(picture_hwc, known)[hole_hw]
        return result
    state = np.array([(seed + 1) * 0x9E3779B97F4A7C15 % 2**64 or 1], np.uint64)
    filled, match = levels[-1].started(), None
    for number, level in enumerate(reversed(levels)):
        filled = level.onto(filled)
        match = _Match(level, state, match)
        is_finest = level is levels[0] and number > 0
        for _ in range(1 if is_finest else _ROUNDS[min(number, len(_ROUNDS) - 1)]):
            match.refine(filled, state)
    if filled.shape[:2] != hole_hw.shape:
        filled = full.onto(filled)
        _Match(full, state, match).copy(filled)
    result[hole_hw] = np.clip(np.rint(filled[hole_hw][:, :3]), 0, 255).astype(np.uint8)
    return result


def _with_texture(picture_hwc: Picture, known_hw: Mask) -> Floats:
    """Colours and, as fourth channel, the mean gradient of the known pixels around."""
    colours = extend(picture_hwc, known_hw)
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 4
    weight, window = known_hw.astype(np.float32), (_TEXTURE_WINDOW_PX, _TEXTURE_WINDOW_PX)
    mean = cv2.boxFilter(slope * weight, -1, window) / (cv2.boxFilter(weight, -1, window) + 1e-6)
    return np.dstack([colours, np.clip(_TEXTURE_WEIGHT * mean, 0, 255)]).astype(np.float32)


def _pyramid(full: _Level, working_px: int) -> list[_Level]:
    """Fine to coarse, halving until the hole is about one patch wide; empty where nothing can be matched."""
    height, width = full.hole.shape
    scale = min(1.0, working_px / max(height, width), (_MAX_HOLE_PX / np.count_nonzero(full.hole)) ** 0.5)
    level = full if scale == 1.0 else full.resized(max(1, round(height * scale)), max(1, round(width * scale)))
    levels: list[_Level] = []
    while np.count_nonzero(level.sources) >= _MIN_SOURCES:
        levels.append(level)
        height, width = level.hole.shape
        depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 3).max()
        if depth <= RADIUS or min(height, width) < 2 * _MIN_SIDE_PX:
            break
        level = level.resized((height + 1) // 2, (width + 1) // 2)
    return levels


class _Match:
    """The nearest-neighbour field of one level: for each patch that meets the hole, the known patch most like it."""

    def __init__(self, level: _Level, state: State, below: _Match | None) -> None:
        """Starts from the coarser field ``below``; at random where there is none or it leads to no source."""
        near = cv2.dilate(level.hole.astype(np.uint8), _PATCH).astype(bool)
        depth = cv2.distanceTransform(level.hole.astype(np.uint8), cv2.DIST_L2, 5)
        trust = np.exp(-_DECAY * np.minimum(depth, _DECAY_PX)).astype(np.float32)
        self.weight = np.where(level.hole | level.known, trust, 0).astype(np.float32)
        mass = cv2.boxFilter(self.weight, -1, (_SIZE, _SIZE), normalize=False, borderType=cv2.BORDER_CONSTANT)
        self.sources = level.sources
        self.holes = np.argwhere(level.hole).astype(np.int32)
        self.targets = np.argwhere(near & (level.hole | level.known)).astype(np.int32)
        rows, columns = self.targets.T
        self.trust, self.mass = trust[rows, columns], mass[rows, columns]
        self.index = np.full(level.hole.shape, -1, np.int32)
        self.index[rows, columns] = np.arange(len(self.targets))
        places = np.argwhere(self.sources).astype(np.int32)
        picks = np.random.default_rng(int(state[0])).integers(0, len(places), len(self.targets))
        self.field: Ints = np.ascontiguousarray(places[picks])
        if below is not None:
            self._scale_up(below)
        self.cost = np.zeros(len(self.targets), np.float32)

    def _scale_up(self, below: _Match) -> None:
        """Take the coarser field's offsets, scaled, wherever they lead to a source of this level."""
        size: Ints = np.array(self.index.shape, np.int32)
        size_below: Ints = np.array(below.index.shape, np.int32)
        places = np.minimum(self.targets * size_below // size, size_below - 1)
        number = below.index[places[:, 0], places[:, 1]]
        offset = (below.field[number] - places) * (size / size_below)
        found = np.clip(np.rint(self.targets + offset), 0, size - 1).astype(np.int32)
        good = self.sources[found[:, 0], found[:, 1]] & (number >= 0)
        self.field[good] = found[good]

    def refine(self, picture: Floats, state: State) -> None:
        """One search there and back, then one vote; changes the hole of ``picture`` in place."""
        search = (self.weight, self.targets, self.index, self.sources, self.field, self.cost)
        measure(picture, self.weight, self.targets, self.field, self.cost)
        for backward in (False, True):
            sweep(picture, *search, max(self.index.shape), state, backward)
        mean = self.cost / np.maximum(self.mass, 1e-6)
        spread = max(float(np.percentile(mean, 75)), 1.0)
        share = self.trust * np.exp(-np.minimum(mean / (2 * spread), 30.0))
        vote(picture, self.holes, self.index, self.field, share.astype(np.float32))

    def copy(self, picture: Floats) -> None:
        """Only vote: the places are taken as they came from a smaller working size."""
        vote(picture, self.holes, self.index, self.field, self.trust)
