from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from training.reflayer.buckets import BatchOrder, BucketConfig, bucket_of, buckets


class Sized:
    """Examples of which only the sizes are asked for."""

    def __init__(self, sizes: list[tuple[int, int]]) -> None:
        self.sizes = sizes

    def __len__(self) -> int:
        return len(self.sizes)

    def size(self, index: int) -> tuple[int, int]:
        return self.sizes[index]


MIXED = Sized([(640, 480)] * 7 + [(480, 640)] * 5 + [(500, 500)] * 3)


@pytest.mark.parametrize("resolution", [256, 512, 1024])
def test_buckets_have_about_the_same_area_and_fit_the_patches(resolution: int) -> None:
    found = buckets(BucketConfig(resolution, 64))
    assert (resolution, resolution) in found
    for width, height in found:
        assert width % 64 == height % 64 == 0
        assert 1 / 3 <= width / height <= 3
        assert 0.8 < width * height / resolution**2 < 1.25


def test_a_picture_goes_to_the_bucket_of_its_aspect() -> None:
    among = buckets(BucketConfig(512, 64))
    assert bucket_of((4000, 4000), among) == (512, 512)
    assert bucket_of((640, 480), among) == (576, 448)
    assert bucket_of((480, 640), among) == (448, 576)
    assert bucket_of((9000, 1000), among)[0] > 2 * bucket_of((9000, 1000), among)[1]


def test_an_epoch_has_every_example_and_batches_of_one_size() -> None:
    order = BatchOrder(MIXED, BucketConfig(512, 64), 4, seed=0)
    plans = list(islice(order.from_step(0), order.per_epoch))
    assert {index for plan in plans for index in plan.indices} == set(range(15))
    for plan in plans:
        assert len(plan.indices) == 4
        assert {bucket_of(MIXED.size(i), buckets(BucketConfig(512, 64))) for i in plan.indices} == {plan.size_wh}


def test_batches_can_be_taken_up_anywhere() -> None:
    order = BatchOrder(MIXED, BucketConfig(512, 64), 2, seed=0)
    straight = list(islice(order.from_step(0), 30))
    for step in (1, order.per_epoch, 17):
        assert list(islice(order.from_step(step), 5)) == straight[step : step + 5]


def test_epochs_and_seeds_are_shuffled_differently() -> None:
    order = BatchOrder(MIXED, BucketConfig(512, 64), 2, seed=0)
    first, second = (list(islice(order.from_step(n * order.per_epoch), order.per_epoch)) for n in (0, 1))
    other = list(islice(BatchOrder(MIXED, BucketConfig(512, 64), 2, seed=1).from_step(0), order.per_epoch))
    assert first != second
    assert first != other


def test_ranks_share_an_epoch_without_overlap_of_whole_batches() -> None:
    even = Sized([(512, 512)] * 16)
    found = Counter()
    for rank in range(4):
        order = BatchOrder(even, BucketConfig(512, 64), 2, seed=0, rank=rank, ranks=4)
        assert order.per_epoch == 2
        found.update(i for plan in islice(order.from_step(0), 2) for i in plan.indices)
    assert found == Counter(range(16))
