"""Numbers as people read them."""

from __future__ import annotations

import pytest

from frontend.views.figures import measured, percent, seconds, signed, whole, words


@pytest.mark.parametrize(
    ("share", "text"), [(0.861, "86.1 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (None, "–"), (0.99996, "99.9 %")]
)
def test_a_share_is_a_percentage_and_never_rounded_up_to_all(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(("value", "text"), [(0.034, "0.03 s"), (12.4, "12 s"), (150, "2.5 min"), (None, "–")])
def test_seconds_keep_the_digits_that_matter(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_thousands_are_parted_by_a_thin_space() -> None:
    assert (whole(999), whole(1234567)) == ("999", "1\u202f234\u202f567")


@pytest.mark.parametrize(
    ("name", "text"),
    [("iou_layers", "IoU, layers"), ("iou_layers_before", "IoU, layers before"), ("n_layers", "Number of layers")],
)
def test_numbers_of_a_training_run_have_names(name: str, text: str) -> None:
    assert measured(name) == text


@pytest.mark.parametrize(("value", "text"), [(0.0527, "+0.0527"), (-0.111, "-0.111"), (0.0, "0")])
def test_a_difference_has_its_sign_and_none_where_there_is_none(value: float, text: str) -> None:
    assert signed(value) == text


def test_codes_become_words() -> None:
    assert words("too_many_pixels") == "too many pixels"
