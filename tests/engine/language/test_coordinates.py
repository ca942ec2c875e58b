"""Known squares in a drawn picture, written as each family writes them, come back where they were drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.imaging import box_of
from engine.language.coordinates import CONVENTIONS, convention_of, shown_size, to_box
from engine.torchvision_guard import install

WIDTH, HEIGHT = 700, 420
SQUARES = [(70, 42, 140, 112), (350, 210, 560, 420), (0, 0, 14, 14)]


def drawn(square):
    picture = np.zeros((HEIGHT, WIDTH), bool)
    x0, y0, x1, y1 = square
    picture[y0:y1, x0:x1] = True
    return picture


def written(box, convention, shown):
    """As a network of that family would write the box of a picture shown to it at ``shown``."""
    x0, y0, x1, y1 = box
    if convention == "shown_pixels":
        return [x0 * shown[0] / WIDTH, y0 * shown[1] / HEIGHT, x1 * shown[0] / WIDTH, y1 * shown[1] / HEIGHT]
    share = [x0 / WIDTH, y0 / HEIGHT, x1 / WIDTH, y1 / HEIGHT]
    if convention == "unit":
        return share
    x0, y0, x1, y1 = (1000 * n for n in share)
    return [y0, x0, y1, x1] if convention == "thousandths_yx" else [x0, y0, x1, y1]


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("square", SQUARES)
def test_a_drawn_square_comes_back_where_it_is(convention, square):
    shown = (1008, 588)
    box = box_of(drawn(square))
    assert to_box(written(box, convention, shown), convention, (WIDTH, HEIGHT), shown) == pytest.approx(box)


@pytest.mark.parametrize("convention", sorted(set(CONVENTIONS) - {"unit"}))
def test_reading_one_family_as_another_misses_the_square(convention):
    box = box_of(drawn(SQUARES[1]))
    for other in set(CONVENTIONS) - {convention}:
        read = to_box(written(box, convention, (1008, 588)), other, (WIDTH, HEIGHT), (1008, 588))
        assert read is None or read != pytest.approx(box, abs=5)


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        ("Qwen/Qwen2.5-VL-7B-Instruct", "shown_pixels"),
        ("qwen2_5_vl", "shown_pixels"),
        ("Qwen/Qwen3-VL-8B-Instruct", "thousandths"),
        ("qwen2_vl", "thousandths"),
        ("gemini-3-flash", "thousandths_yx"),
    ],
)
def test_the_name_of_a_network_tells_its_convention(name, convention):
    assert convention_of(name) == convention


def test_swapped_corners_are_sorted_and_what_runs_past_the_border_is_cut():
    assert to_box([1100, 900, 500, -50], "thousandths", (100, 100)) == (50.0, 0.0, 100.0, 90.0)


@pytest.mark.parametrize("numbers", [[1, 2, 3], [0, 0, 0, 0], [float("nan"), 0, 5, 5], [1001, 0, 1200, 500]])
def test_what_is_no_box_in_the_picture_is_dropped(numbers):
    assert to_box(numbers, "thousandths", (100, 100)) is None


@given(st.integers(30, 4000), st.integers(30, 4000))
@settings(deadline=None)
def test_the_shown_size_is_what_qwens_own_processor_would_show(width, height):
    install()
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    high, wide = smart_resize(height, width, 28, 56 * 56, 28 * 28 * 1280)
    mine = shown_size((width, height))
    assert abs(mine[0] - wide) <= 28
    assert abs(mine[1] - high) <= 28
    if min(width, height) >= 28:
        assert mine == (wide, high)
