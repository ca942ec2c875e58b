"""Geometry of the charts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.charts import bar_chart, nice_step


@pytest.mark.parametrize(("highest", "step"), [(0, 1), (4, 1), (5, 2), (9, 5), (80, 20), (81, 50), (1999, 500)])
def test_steps_are_round_and_at_most_four_are_needed(highest: int, step: int) -> None:
    assert nice_step(highest) == step


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=48))
def test_bars_stand_on_the_floor_in_proportion_and_inside_the_picture(values: list[int]) -> None:
    chart = bar_chart(values, [str(value) for value in values])
    floor = chart.ticks[0].y
    assert chart.ticks[-1].value >= max(values)
    for bar in chart.bars:
        assert bar.y + bar.height == pytest.approx(floor, abs=0.02)
        assert 0 <= bar.y <= floor
        assert chart.left <= bar.x
        assert bar.x + bar.width <= chart.width
    tallest = max(chart.bars, key=lambda bar: bar.height)
    assert tallest.value == max(values)


def test_labels_are_counted_back_from_the_last_bar() -> None:
    chart = bar_chart([1] * 9, list("abcdefghi"), label_every=4)
    assert [bar.label for bar in chart.bars if bar.has_label] == ["a", "e", "i"]
