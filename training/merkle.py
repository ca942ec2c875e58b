"""A Merkle tree over a list of byte strings (RFC 6962, section 2.1: SHA-256, leaves and nodes told apart).

The hash of a leaf is ``SHA-256(0x00 || data)``, of a node ``SHA-256(0x01 || left || right)``; the left side of a node
holds the largest power of two of leaves that is smaller than its number of leaves. No leaves: ``SHA-256("")``.
"""

from __future__ import annotations

import hashlib


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


class MerkleTree:
    """Grows leaf by leaf and keeps only the roots of its full subtrees: 20 hashes for a million leaves."""

    def __init__(self) -> None:
        self._full: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Append the hash of a leaf (``leaf_hash``)."""
        size = 1
        while self._full and self._full[-1][0] == size:
            leaf = _node(self._full.pop()[1], leaf)
            size *= 2
        self._full.append((size, leaf))

    def root(self) -> str:
        """As hexadecimal digits."""
        if not self._full:
            return hashlib.sha256(b"").hexdigest()
        found = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            found = _node(left, found)
        return found.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
