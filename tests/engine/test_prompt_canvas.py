from __future__ import annotations

import numpy as np
import pytest

from engine.prompt_canvas import draw
from engine.records import Prompt, PromptKind

BLUE, GREEN, RED, WHITE = (0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255)


@pytest.mark.parametrize("kind", [PromptKind.TEXT, PromptKind.BACKGROUND])
def test_a_prompt_without_a_place_is_plain_blue(kind: PromptKind) -> None:
    assert (draw(Prompt(kind, text="a cup"), 5, 7) == BLUE).all()


def test_a_box_is_filled_green_and_half_open() -> None:
    canvas = draw(Prompt(PromptKind.BOX, box=(1.0, 2.0, 3.0, 4.0)), 6, 5)
    expected = np.full((6, 5, 3), BLUE, np.uint8)
    expected[2:4, 1:3] = GREEN
    assert np.array_equal(canvas, expected)


def test_a_mask_is_red_and_lies_over_the_box() -> None:
    mask = np.zeros((4, 4), bool)
    mask[1, 1:4] = True
    canvas = draw(Prompt(PromptKind.HYBRID, box=(0.0, 0.0, 2.0, 2.0), mask_hw=mask), 4, 4)
    assert [tuple(pixel) for pixel in canvas[1]] == [GREEN, RED, RED, RED]


def test_a_point_is_white_at_its_centre_and_falls_off_as_a_gaussian() -> None:
    canvas = draw(Prompt(PromptKind.POINT, points=((50.5, 40.5),)), 100, 200)
    heat = np.exp(-(3**2) / (2 * 2.0**2))
    assert tuple(canvas[40, 50]) == WHITE
    assert tuple(canvas[40, 53]) == (round(255 * heat), round(255 * heat), 255)
    assert tuple(canvas[43, 50]) == tuple(canvas[40, 53])
    assert tuple(canvas[90, 150]) == BLUE


def test_a_point_is_blended_over_the_mask() -> None:
    mask = np.ones((100, 100), bool)
    canvas = draw(Prompt(PromptKind.HYBRID, points=((20.5, 20.5),), mask_hw=mask), 100, 100)
    assert tuple(canvas[20, 20]) == WHITE
    assert tuple(canvas[80, 80]) == RED


def test_two_near_points_do_not_add_up_beyond_white() -> None:
    alone = draw(Prompt(PromptKind.POINT, points=((30.5, 30.5),)), 100, 100).astype(int)
    other = draw(Prompt(PromptKind.POINT, points=((33.5, 30.5),)), 100, 100).astype(int)
    both = draw(Prompt(PromptKind.POINT, points=((30.5, 30.5), (33.5, 30.5))), 100, 100)
    assert np.array_equal(both, np.maximum(alone, other))


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="mask is"):
        draw(Prompt(PromptKind.MASK, mask_hw=np.ones((3, 3), bool)), 4, 4)
