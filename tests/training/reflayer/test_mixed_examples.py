"""Several sources as one set: shares are kept, nothing of the first is left out, the order repeats."""

from __future__ import annotations

from collections import Counter

import pytest

from training.reflayer.mixed_examples import MixedExamples


class Named:
    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count

    def __len__(self) -> int:
        return self.count

    def key(self, index: int) -> str:
        assert 0 <= index < self.count
        return f"{self.name}{index}"

    def size(self, index: int) -> tuple[int, int]:
        return 8, 8

    def __getitem__(self, index: int) -> str:
        return self.key(index)


def test_sources_come_as_often_as_their_weights_say() -> None:
    mixed = MixedExamples([(Named("v", 60), 0.6), (Named("a", 500), 0.1), (Named("c", 7), 0.3)])
    keys = [mixed.key(index) for index in range(len(mixed))]
    assert Counter(key[0] for key in keys) == {"v": 60, "a": 10, "c": 30}
    assert {key for key in keys if key[0] == "v"} == {f"v{n}" for n in range(60)}
    assert {key for key in keys if key[0] == "c"} == {f"c{n}" for n in range(7)}
    assert keys == [MixedExamples(mixed.parts).key(index) for index in range(len(mixed))]
    assert keys != [MixedExamples(mixed.parts, seed=1).key(index) for index in range(len(mixed))]
    with pytest.raises(IndexError):
        mixed[len(mixed)]


def test_sources_without_weight_or_content_are_left_out() -> None:
    mixed = MixedExamples([(Named("v", 4), 1.0), (Named("a", 0), 1.0), (Named("c", 5), 0.0)])
    assert sorted(mixed.key(index) for index in range(len(mixed))) == ["v0", "v1", "v2", "v3"]
    with pytest.raises(ValueError, match="no source"):
        MixedExamples([(Named("a", 0), 1.0)])
