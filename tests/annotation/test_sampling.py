from random import Random

from hypothesis import given
from hypothesis import strategies as st

from annotation.sampling import Mix, probes

rates = st.floats(0, 0.5)


@given(first=st.integers(0, 9), gold=rates, mirror=rates, served=st.integers(0, 20), count=st.integers(1, 10))
def test_a_session_begins_with_its_gold_items(first: int, gold: float, mirror: float, served: int, count: int) -> None:
    drawn = probes(Mix(first, gold, mirror), served, count, Random(0).random)
    assert len(drawn) == count
    assert drawn[: max(0, first - served)] == ["gold"] * min(count, max(0, first - served))


def test_afterwards_the_rates_are_kept() -> None:
    drawn = probes(Mix(5, 0.1, 0.05), 5, 20_000, Random(1).random)
    assert abs(drawn.count("gold") / 20_000 - 0.1) < 0.01
    assert abs(drawn.count("mirror") / 20_000 - 0.05) < 0.01


def test_without_rates_nothing_is_mixed_in() -> None:
    assert set(probes(Mix(0, 0, 0), 0, 1000, Random(2).random)) == {None}
