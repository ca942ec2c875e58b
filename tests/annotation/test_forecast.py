"""When a queue will be empty: exact where days are equal, and right as often as it says where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.forecast import forecast


def test_equal_days_leave_no_doubt() -> None:
    told = forecast(900, [100, 100, 100])
    assert told is not None
    assert (told.days, told.low, told.high) == (9, 9, 9)


def test_one_day_alone_gives_no_interval() -> None:
    told = forecast(50, [100])
    assert told is not None
    assert (told.days, told.low, told.high) == (0.5, None, None)


def test_nothing_left_takes_no_time() -> None:
    told = forecast(0, [3, 8])
    assert told is not None
    assert (told.days, told.low, told.high) == (0, 0, 0)


@pytest.mark.parametrize("per_day", [[], [0, 0]])
def test_without_work_there_is_no_forecast(per_day: list[int]) -> None:
    assert forecast(10, per_day) is None


def test_a_negative_need_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        forecast(-1, [1])


@given(st.integers(0, 10**6), st.lists(st.integers(1, 10**4), min_size=2, max_size=14))
def test_the_interval_holds_the_middle(left: int, per_day: list[int]) -> None:
    told = forecast(left, per_day)
    assert told is not None
    assert told.low is not None
    assert told.high is not None
    assert 0 <= told.low <= told.days <= told.high


def test_the_end_lies_in_the_interval_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    trials, hits = 400, 0
    for _ in range(trials):
        seen = rng.gamma(9, 100 / 9, 14)
        end = np.interp(2000, np.concatenate([[0], np.cumsum(rng.gamma(9, 100 / 9, 60))]), np.arange(61))
        told = forecast(2000, list(seen))
        assert told is not None
        hits += told.low <= end <= told.high
    assert 0.89 <= hits / trials <= 0.99
