"""Batches of networks: pictures that are alike together, and smaller ones where memory ends."""

import pytest
import torch

from engine.stages.network import Network


class Greedy(Network):
    """Stands for any network: its device holds at most ``most`` items at once."""

    def __init__(self, most, batch=16):
        super().__init__("none", batch)
        self.most, self.seen = most, []

    def load_from(self, place):
        """It has no files."""

    def __call__(self, items, **options):
        return self.in_batches(items, self.run, **options)

    def run(self, items):
        if len(items) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.seen.append(list(items))
        return [item * 10 for item in items]


def test_answers_come_in_the_order_of_the_items():
    assert Greedy(most=4, batch=4)([5, 3, 8, 1, 2]) == [50, 30, 80, 10, 20]


def test_a_batch_holds_only_what_is_alike():
    network = Greedy(most=4, batch=4)
    assert network([1, 2, 3, 4, 5, 6], alike=lambda item: item % 2) == [10, 20, 30, 40, 50, 60]
    assert network.seen == [[1, 3, 5], [2, 4, 6]]


def test_out_of_memory_halves_the_batch_and_goes_on_without_doing_anything_twice():
    network = Greedy(most=3)
    items = list(range(20))
    assert network(items) == [item * 10 for item in items]
    assert [item for batch in network.seen for item in batch] == items
    assert network.batch == 2
    assert max(len(batch) for batch in network.seen) == 2


def test_the_smaller_batch_is_remembered_for_the_next_call():
    network = Greedy(most=5)
    network(range(16))
    network.seen.clear()
    network(range(8))
    assert [len(batch) for batch in network.seen] == [4, 4]


def test_one_item_that_is_too_much_alone_is_an_error():
    with pytest.raises(torch.OutOfMemoryError):
        Greedy(most=0)([1, 2])


def test_no_items_are_no_answers():
    assert Greedy(most=1)([]) == []
