"""Where objects go, so that each is hidden by about the share that was drawn for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.records import Mask

Rng = np.random.Generator
Position = tuple[int, int]

LEAST_VISIBLE = 0.31
"""No object is hidden by more than the rest of this, so that every one can still be pointed at."""
BANDS = ((0.04, 0.2), (0.2, 0.4), (0.4, 0.69))
"""Shares hidden that are aimed at, drawn with equal chance; besides them some objects stand free."""
_TRIES = 10
_FREE = 0.3
_CUT_BY_FRAME = 0.1


class _Stage:
    """The scene while it is being built, back to front: which object owns each pixel (-1: background)."""

    def __init__(self, size_px: int) -> None:
        self.size_px = size_px
        self.owner_hw = np.full((size_px, size_px), -1, np.int16)
        self.areas: list[int] = []

    def window(self, mask_hw: Mask, at: Position) -> tuple[NDArray[np.int16], Mask]:
        """Views of the owners and of the mask where the placed mask meets the frame."""
        (x, y), (h, w) = at, mask_hw.shape
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, self.size_px), min(y + h, self.size_px)
        if x0 >= x1 or y0 >= y1:
            return self.owner_hw[:0, :0], mask_hw[:0, :0]
        return self.owner_hw[y0:y1, x0:x1], mask_hw[y0 - y : y1 - y, x0 - x : x1 - x]

    def hidden_shares(self, mask_hw: Mask, at: Position) -> NDArray[np.float64]:
        """Share of each object so far that would be hidden with the mask in front."""
        owners, mask = self.window(mask_hw, at)
        count = len(self.areas)
        visible = np.bincount(self.owner_hw.ravel() + 1, minlength=count + 1)[1:]
        covered = np.bincount(owners[mask] + 1, minlength=count + 1)[1:]
        return 1 - (visible - covered) / np.array(self.areas, float)

    def put(self, mask_hw: Mask, at: Position) -> None:
        owners, mask = self.window(mask_hw, at)
        owners[mask] = len(self.areas)
        self.areas.append(int(mask.sum()))


def _in_frame(stage: _Stage, mask_hw: Mask, at: Position, least: float) -> bool:
    return bool(np.count_nonzero(stage.window(mask_hw, at)[1]) >= least * np.count_nonzero(mask_hw))


def _somewhere(stage: _Stage, mask_hw: Mask, rng: Rng, outside: float = 0.0) -> Position:
    h, w = mask_hw.shape
    slack_x, slack_y = stage.size_px - w, stage.size_px - h
    return (
        int(rng.integers(min(0, slack_x) - int(outside * w), max(0, slack_x) + int(outside * w) + 1)),
        int(rng.integers(min(0, slack_y) - int(outside * h), max(0, slack_y) + int(outside * h) + 1)),
    )


def _over(stage: _Stage, mask_hw: Mask, target: int, share: float, rng: Rng) -> Position:
    """Slide the mask away from the target's middle in a random direction until ``share`` of it is hidden."""
    rows, cols = np.nonzero(stage.owner_hw == target)
    middle_x, middle_y = cols.mean() - mask_hw.shape[1] / 2, rows.mean() - mask_hw.shape[0] / 2
    turn = rng.uniform(0, 2 * np.pi)
    near, far = 0.0, float(stage.size_px)
    for _ in range(8):
        way = (near + far) / 2
        at = (round(middle_x + way * np.cos(turn)), round(middle_y + way * np.sin(turn)))
        if stage.hidden_shares(mask_hw, at)[target] > share:
            near = way
        else:
            far = way
    return round(middle_x + far * np.cos(turn)), round(middle_y + far * np.sin(turn))


def place(masks: Sequence[Mask], size_px: int, rng: Rng) -> list[Position | None]:
    """Left top corners for masks given back to front in a square frame; ``None`` where no place was found.

    Later masks lie in front. Every placed one keeps ``LEAST_VISIBLE`` of its part inside the frame visible,
    and at least 65 % of it lies in the frame (most lie in it wholly).
    """
    stage = _Stage(size_px)
    positions: list[Position | None] = []
    for mask in masks:
        inside = 0.65 if rng.random() < _CUT_BY_FRAME else 1.0
        free = rng.random() < _FREE
        best: Position | None = None
        best_covered = 2.0
        for _ in range(_TRIES):
            if not stage.areas or free:
                at = _somewhere(stage, mask, rng, outside=0.0 if inside == 1 else 0.3)
            else:
                low, high = BANDS[int(rng.integers(len(BANDS)))]
                at = _over(stage, mask, int(rng.integers(len(stage.areas))), rng.uniform(low, high), rng)
            if not _in_frame(stage, mask, at, inside):
                continue
            shares = stage.hidden_shares(mask, at) if stage.areas else np.zeros(1)
            if shares.max() > 1 - LEAST_VISIBLE:
                continue
            if best is None or shares.sum() < best_covered:
                best, best_covered = at, float(shares.sum())
            if not free:
                break
        positions.append(best)
        if best is not None:
            stage.put(mask, best)
    return positions
