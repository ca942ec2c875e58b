"""Nearest-neighbour search between patches and the vote that turns matches into colours, compiled by Numba.

PatchMatch (Barnes, Shechtman, Finkelstein and Goldman 2009): propagation along the scan and random search around
the best place so far. Serial, with a xorshift state that the caller owns: the same input gives the same bytes.

Shapes: ``picture`` float32 [H,W,4], three colours and a texture measure; ``weight`` float32 [H,W], how far a pixel
counts in a comparison; ``targets`` int32 [N,2] patch centres (y, x) and ``index`` int32 [H,W] their number or -1;
``sources`` bool [H,W] centres that may be copied from; ``field`` int32 [N,2] the source found for each target;
``cost`` float32 [N].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Mask = NDArray[np.bool_]
State = NDArray[np.uint64]

RADIUS = 3


@compiled
def draw(state: State, count: int) -> Any:
    """A number in 0..count-1 (Marsaglia 2003, xorshift64)."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.int64((x >> np.uint64(33)) % np.uint64(count))


@compiled
def patch_cost(picture: Floats, weight: Floats, ty: int, tx: int, sy: int, sx: int, bound: float) -> Any:
    """Weighted sum of squared differences; stops early once above ``bound``."""
    height, width = weight.shape
    total = np.float32(0.0)
    for dy in range(max(-RADIUS, -ty), min(RADIUS, height - 1 - ty) + 1):
        for dx in range(max(-RADIUS, -tx), min(RADIUS, width - 1 - tx) + 1):
            a = picture[ty + dy, tx + dx, 0] - picture[sy + dy, sx + dx, 0]
            b = picture[ty + dy, tx + dx, 1] - picture[sy + dy, sx + dx, 1]
            c = picture[ty + dy, tx + dx, 2] - picture[sy + dy, sx + dx, 2]
            d = picture[ty + dy, tx + dx, 3] - picture[sy + dy, sx + dx, 3]
            total += weight[ty + dy, tx + dx] * (a * a + b * b + c * c + d * d)
        if total > bound:
            return total
    return total


@compiled
def measure(picture: Floats, weight: Floats, targets: Ints, field: Ints, cost: Floats) -> None:
    for k in range(targets.shape[0]):
        cost[k] = patch_cost(picture, weight, targets[k, 0], targets[k, 1], field[k, 0], field[k, 1], np.inf)


@compiled
def sweep(
    picture: Floats,
    weight: Floats,
    targets: Ints,
    index: Ints,
    sources: Mask,
    field: Ints,
    cost: Floats,
    reach_px: int,
    state: State,
    backward: bool,
) -> None:
    """One scan over all targets, forward or backward; improves ``field`` and ``cost`` in place."""
    height, width = sources.shape
    count = targets.shape[0]
    step = -1 if backward else 1
    for n in range(count):
        k = count - 1 - n if backward else n
        ty, tx = targets[k, 0], targets[k, 1]
        for side in range(2):
            ny, nx = (ty - step, tx) if side == 0 else (ty, tx - step)
            if ny < 0 or nx < 0 or ny >= height or nx >= width or index[ny, nx] < 0:
                continue
            j = index[ny, nx]
            sy, sx = field[j, 0] + ty - ny, field[j, 1] + tx - nx
            if sy >= 0 and sx >= 0 and sy < height and sx < width and sources[sy, sx]:
                found = patch_cost(picture, weight, ty, tx, sy, sx, cost[k])
                if found < cost[k]:
                    cost[k], field[k, 0], field[k, 1] = found, sy, sx
        span = reach_px
        while span >= 1:
            sy = field[k, 0] + draw(state, 2 * span + 1) - span
            sx = field[k, 1] + draw(state, 2 * span + 1) - span
            span //= 2
            if sy >= 0 and sx >= 0 and sy < height and sx < width and sources[sy, sx]:
                found = patch_cost(picture, weight, ty, tx, sy, sx, cost[k])
                if found < cost[k]:
                    cost[k], field[k, 0], field[k, 1] = found, sy, sx


@compiled
def vote(picture: Floats, holes: Ints, index: Ints, field: Ints, share: Floats) -> None:
    """Set every hole pixel to the mean, weighted by ``share`` [N], of what the patches over it suggest."""
    height, width = index.shape
    for n in range(holes.shape[0]):
        y, x = holes[n, 0], holes[n, 1]
        mean = np.zeros(4, np.float32)
        total = np.float32(0.0)
        for dy in range(max(-RADIUS, -y), min(RADIUS, height - 1 - y) + 1):
            for dx in range(max(-RADIUS, -x), min(RADIUS, width - 1 - x) + 1):
                k = index[y + dy, x + dx]
                if k >= 0:
                    sy, sx, w = field[k, 0] - dy, field[k, 1] - dx, share[k]
                    for c in range(4):
                        mean[c] += w * picture[sy, sx, c]
                    total += w
        if total > 0.0:
            for c in range(4):
                picture[y, x, c] = mean[c] / total
