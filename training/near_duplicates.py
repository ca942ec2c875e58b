"""Pictures that look the same, among many: pairs of 64-bit perceptual hashes that differ in few bits.

Hashes are cut into four words of 16 bits. Two that differ in at most 10 bits differ in at most 2 bits of one of the
first three words, or in at most 1 bit of the last (else 3 + 3 + 3 + 2 = 11): so only hashes with nearly equal words
are compared at all (multi-index hashing: Norouzi, Punjani, Fleet 2012).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from engine.perceptual_hash import NEAR_DUPLICATE_BITS

WORD_BITS = 16
RADII = (2, 2, 2, 1)
assert sum(RADII) + len(RADII) == NEAR_DUPLICATE_BITS + 1

AT_ONCE = 1 << 16
"""Pairs compared in one step: few enough to stay in the processor's cache."""

Index = NDArray[np.intp]
Hashes = NDArray[np.uint64]


def groups_of(hashes: Sequence[int]) -> list[int]:
    """For each hash the position of the first one of its group; groups are closed under "looks the same".

    ``hashes``: signed 64-bit integers as ``engine.perceptual_hash`` makes them.
    """
    if not len(hashes):
        return []
    unsigned = np.asarray(hashes, np.int64).view(np.uint64)
    known, first_at, kind = np.unique(unsigned, return_index=True, return_inverse=True)
    parent = list(range(known.size))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in _near_pairs(known):
        for one, other in zip(left.tolist(), right.tolist(), strict=True):
            a, b = root(one), root(other)
            if first_at[a] > first_at[b]:
                a, b = b, a
            parent[b] = a
    firsts = [int(first_at[root(node)]) for node in range(known.size)]
    return [firsts[node] for node in kind.tolist()]


def _near_pairs(hashes: Hashes) -> Iterator[tuple[Index, Index]]:
    """Pairs of positions at most ``NEAR_DUPLICATE_BITS`` apart; the same pair may come several times."""
    for number, radius in enumerate(RADII):
        words = ((hashes >> np.uint64(WORD_BITS * number)) & np.uint64(0xFFFF)).astype(np.intp)
        # Hashes with one word lie side by side, so what is compared with them is read in order.
        order = np.argsort(words, kind="stable")
        ordered, of_each, sizes = hashes[order], words[order], np.bincount(words, minlength=1 << WORD_BITS)
        for flip in _flips(radius):
            for left, right in _pairs_of(ordered, of_each, sizes, flip):
                yield order[left], order[right]


def _flips(radius: int) -> list[int]:
    bits = range(WORD_BITS)
    return [sum(1 << bit for bit in chosen) for count in range(radius + 1) for chosen in combinations(bits, count)]


def _pairs_of(ordered: Hashes, words: Index, sizes: Index, flip: int) -> Iterator[tuple[Index, Index]]:
    """Pairs whose words differ by exactly ``flip``, each once; hashes are ordered by their words."""
    probed = words ^ flip
    asking = np.arange(words.size) if flip == 0 else np.flatnonzero(words < probed)
    if not asking.size:
        return
    starts, pairs = np.cumsum(sizes) - sizes, np.cumsum(sizes[probed[asking]])
    for some in np.split(asking, np.searchsorted(pairs, np.arange(AT_ONCE, pairs[-1], AT_ONCE))):
        counts = sizes[probed[some]]
        left = np.repeat(some, counts)
        right = np.arange(left.size) + np.repeat(starts[probed[some]] - np.cumsum(counts) + counts, counts)
        near = np.bitwise_count(ordered[left] ^ ordered[right]) <= NEAR_DUPLICATE_BITS
        if flip == 0:
            near &= left < right
        if near.any():
            yield left[near], right[near]
