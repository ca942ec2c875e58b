"""Aspect buckets, and which examples make up which batch: a pure function of the seed and the batch's number.

So nothing about the data's position has to be saved to continue a run exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.reflayer.examples import Examples

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class BucketConfig:
    resolution: int = 512
    """Buckets have about this many pixels squared."""
    step_px: int = 64
    max_aspect: float = 3.0


def buckets(config: BucketConfig) -> list[Size]:
    """All sizes in whole steps whose area comes nearest to ``resolution`` squared, up to the largest aspect."""
    found = []
    widest = int(config.resolution * config.max_aspect**0.5) // config.step_px
    for columns in range(1, max(widest, 1) + 1):
        width = columns * config.step_px
        height = max(1, round(config.resolution**2 / width / config.step_px)) * config.step_px
        if max(width / height, height / width) <= config.max_aspect:
            found.append((width, height))
    return found or [(config.resolution, config.resolution)]


def bucket_of(size_wh: Size, among: Sequence[Size]) -> Size:
    """The bucket whose aspect is nearest, in ratio."""
    aspect = np.log(size_wh[0] / size_wh[1])
    return min(among, key=lambda bucket: abs(np.log(bucket[0] / bucket[1]) - aspect))


@dataclass(frozen=True, slots=True)
class BatchPlan:
    size_wh: Size
    indices: tuple[int, ...]


class BatchOrder:
    """Endless batches of one bucket each, for one of ``ranks`` processes.

    Every epoch each bucket is shuffled anew, filled up to whole batches by examples of the same bucket, and the
    batches are shuffled; so every example comes at least once an epoch and no batch is short.
    """

    def __init__(
        self, examples: Examples, config: BucketConfig, batch_size: int, seed: int, rank: int = 0, ranks: int = 1
    ) -> None:
        among = buckets(config)
        members: dict[Size, list[int]] = defaultdict(list)
        for index in range(len(examples)):
            members[bucket_of(examples.size(index), among)].append(index)
        self._members = {size: np.array(indices) for size, indices in sorted(members.items())}
        self._batch_size, self._seed, self._rank, self._ranks = batch_size, seed, rank, ranks
        whole = batch_size * ranks
        self.per_epoch = sum(-(-len(indices) // whole) for indices in self._members.values())

    def from_step(self, step: int) -> Iterator[BatchPlan]:
        """Batch ``step`` and all after it."""
        epoch, place = divmod(step, self.per_epoch)
        while True:
            yield from self._epoch(epoch)[place:]
            epoch, place = epoch + 1, 0

    def _epoch(self, epoch: int) -> list[BatchPlan]:
        rng = np.random.default_rng([self._seed, epoch, 0xBA])
        whole = self._batch_size * self._ranks
        plans = []
        for size, indices in self._members.items():
            order = np.resize(rng.permutation(indices), -(-len(indices) // whole) * whole)
            for batch in order.reshape(-1, whole):
                own = batch[self._rank * self._batch_size : (self._rank + 1) * self._batch_size]
                plans.append(BatchPlan(size, tuple(int(index) for index in own)))
        return [plans[place] for place in rng.permutation(len(plans))]
