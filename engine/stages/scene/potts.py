"""Which label for each pixel: cheap ones, in regions with short borders along the picture's edges (Potts model).

Convex relaxation (Zach, Gallup, Frahm and Niethammer 2008, *Fast global labeling*) solved by the primal-dual steps
of Chambolle and Pock 2011. Compared with a graph cut it takes any number of labels at once and has no solver to ship.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.compiled import compiled
from engine.records import Picture

Floats = NDArray[np.float32]

EDGE_FLOOR = 0.02
"""Even the strongest edge costs this much to border on: a mask's outline is never free."""


def contrast(image_hwc: Picture) -> tuple[Floats, Floats]:
    """Price 0..1 of a border between each pixel and its right, and its lower neighbour: cheap where colours differ.

    The price falls with the squared Lab distance over its mean in this picture (Rother, Kolmogorov and Blake 2004).
    """
    lab = cv2.cvtColor(image_hwc, cv2.COLOR_RGB2LAB).astype(np.float32)
    right, down = np.zeros(lab.shape[:2], np.float32), np.zeros(lab.shape[:2], np.float32)
    right[:, :-1] = np.square(lab[:, 1:] - lab[:, :-1]).sum(axis=2)
    down[:-1] = np.square(lab[1:] - lab[:-1]).sum(axis=2)
    scale = float(right.mean() + down.mean()) + 1e-6
    across, along = (np.asarray(np.exp(-steps / scale) + EDGE_FLOOR, np.float32) for steps in (right, down))
    return across, along


def shares(cost_lhw: Floats, prices: tuple[Floats, Floats], border: float, steps: int) -> Floats:
    """Share of each label ``[L,H,W]`` in each pixel, 0..1, adding up to 1; nearly always 0 or 1.

    ``cost_lhw``: price of each label; ``prices`` as from ``contrast``, times ``border``, per pixel of outline.
    """
    start = np.exp(cost_lhw.min(axis=0) - cost_lhw)
    start = (start / start.sum(axis=0)).astype(np.float32)
    right, down = (np.ascontiguousarray(border * price, np.float32) for price in prices)
    return np.asarray(_primal_dual(cost_lhw.astype(np.float32), right, down, steps, start), np.float32)


@compiled
def _primal_dual(cost: Floats, right: Floats, down: Floats, steps: int, share: Floats) -> Any:
    labels, height, width = cost.shape
    flow_x, flow_y = np.zeros_like(cost), np.zeros_like(cost)
    ahead = share.copy()
    primal_step, dual_step = np.float32(0.25), np.float32(0.5)
    wanted, ordered = np.zeros(labels, np.float32), np.zeros(labels, np.float32)
    for _ in range(steps):
        for k in range(labels):
            for y in range(height):
                for x in range(width):
                    if x < width - 1:
                        push = flow_x[k, y, x] + dual_step * (ahead[k, y, x + 1] - ahead[k, y, x])
                        flow_x[k, y, x] = min(right[y, x], max(-right[y, x], push))
                    if y < height - 1:
                        push = flow_y[k, y, x] + dual_step * (ahead[k, y + 1, x] - ahead[k, y, x])
                        flow_y[k, y, x] = min(down[y, x], max(-down[y, x], push))
        for y in range(height):
            for x in range(width):
                for k in range(labels):
                    spread = flow_x[k, y, x] + flow_y[k, y, x]
                    if x > 0:
                        spread -= flow_x[k, y, x - 1]
                    if y > 0:
                        spread -= flow_y[k, y - 1, x]
                    wanted[k] = share[k, y, x] + primal_step * (spread - cost[k, y, x])
                excess = _simplex_excess(wanted, ordered)
                for k in range(labels):
                    new = max(np.float32(0.0), wanted[k] - excess)
                    ahead[k, y, x] = 2 * new - share[k, y, x]
                    share[k, y, x] = new
    return share


@compiled
def _simplex_excess(wanted: Floats, ordered: Floats) -> Any:
    """What to take from every value so that the positive rest adds up to 1 (Held, Wolfe and Crowder 1974)."""
    for i in range(wanted.size):
        place = i
        while place > 0 and ordered[place - 1] < wanted[i]:
            ordered[place] = ordered[place - 1]
            place -= 1
        ordered[place] = wanted[i]
    total, excess = np.float32(0.0), np.float32(0.0)
    for i in range(wanted.size):
        total += ordered[i]
        if ordered[i] > (total - 1) / (i + 1):
            excess = (total - 1) / (i + 1)
    return excess
