"""Which split a group of pictures belongs to: decided by the group's name alone, so it stays there for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def split_groups(groups: Iterable[str], seed: int, validation: float, test: float) -> dict[str, str]:
    """Group to ``train``, ``validation`` or ``test``; shares are 0..1 of the groups.

    Each name is hashed with the seed to a number in 0..1; the lowest are test, the next validation. So a picture
    keeps its split in every later snapshot of the same seed. A split with a share that would stay empty takes the
    lowest group left, as long as one is left for training.
    """
    ordered = sorted((_position(name, seed), name) for name in set(groups))
    splits = {}
    for position, name in ordered:
        splits[name] = "test" if position < test else "validation" if position < test + validation else "train"
    for split, share in (("test", test), ("validation", validation)):
        if share > 0 and split not in splits.values():
            training = [name for _, name in ordered if splits[name] == "train"]
            if len(training) > 1:
                splits[training[0]] = split
    return splits


def _position(name: str, seed: int) -> float:
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") / 2**64
