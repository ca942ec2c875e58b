"""What composites are made of where something is measured, and what of it nothing may learn from.

A composite's name says how it is made again: ``composite-<px>-<seed>.png`` from everything there is,
``composite-<px>-<seed>-seen.png`` without what is held out. Benchmarks are made from what is held out alone.
"""

from __future__ import annotations

from functools import lru_cache

from engine.composites import shapes
from engine.composites.generator import Composite, compose
from engine.composites.photographs import PACKAGE_FILES, Photographs

FAMILIES = frozenset({"crescent", "leaf", "star", "superellipse"})
"""Shape families that no training scene shows."""
PHOTOGRAPHS = frozenset({"coffee", "flower", "rocket"})
"""Of the photographs inside installed packages."""
FIRST_SEED = 7_000_000
"""Seeds from here on are for measuring."""


def held_out_composite(seed: int, size_px: int) -> Composite:
    """Drawn from held-out photographs and shape families only. Raises ``ValueError`` for a seed of training."""
    if seed < FIRST_SEED:
        raise ValueError(f"seeds below {FIRST_SEED} are for training, got {seed}")
    return compose(seed, size_px, _photographs(size_px, held_out=True), families=FAMILIES)


def seen_composite(seed: int, size_px: int) -> Composite:
    """Shares neither a photograph nor a shape family with those that are held out."""
    photographs = _photographs(size_px, held_out=False)
    return compose(seed, size_px, photographs, families=set(shapes.FAMILIES) - FAMILIES)


@lru_cache(maxsize=4)
def _photographs(size_px: int, held_out: bool) -> Photographs:
    """Decoded once: a benchmark is made of many composites from few photographs."""
    return Photographs.from_packages(2 * size_px).only(PHOTOGRAPHS if held_out else set(PACKAGE_FILES) - PHOTOGRAPHS)


def name_of(seed: int, size_px: int) -> str:
    """Under which the picture of ``seen_composite`` is known, so that its truth can be made again."""
    return f"composite-{size_px}-{seed}-seen.png"
