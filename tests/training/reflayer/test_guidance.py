from __future__ import annotations

import pytest
import torch

from training.reflayer.guidance import Conditions, Guidance, guided_velocity


class Counting:
    """A network whose answer is a number that depends on every condition; remembers how many samples it saw."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, noisy, timesteps, source, canvas, text, pooled, has_source, has_canvas):
        self.seen.append(len(noisy))
        canvas = torch.where(has_canvas[:, None, None, None], canvas, -3.0)
        words = text.sum(dim=(1, 2)) ** 2 + pooled.sum(dim=1)
        return noisy + source * 2 + canvas**2 * words[:, None, None, None] + timesteps[:, None, None, None]


def _given(has_text: bool = True) -> Conditions:
    generator = torch.Generator().manual_seed(0)
    source, canvas = torch.randn(2, 2, 16, 4, 4, generator=generator)
    text, pooled = torch.randn(2, 3, 5, generator=generator), torch.randn(2, 7, generator=generator)
    return Conditions(source, canvas, text, pooled, torch.zeros(1, 3, 5), torch.zeros(1, 7), has_text)


NOISY, TIME = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(1)), torch.tensor(300.0)


def _one(given: Conditions, with_canvas: bool, with_text: bool) -> torch.Tensor:
    yes = torch.ones(2, dtype=torch.bool)
    text = given.text if with_text else given.null_text.expand_as(given.text)
    pooled = given.pooled if with_text else given.null_pooled.expand_as(given.pooled)
    return Counting()(NOISY, TIME.expand(2), given.source, given.canvas, text, pooled, yes, yes & with_canvas)


@pytest.mark.parametrize(("canvas", "text"), [(1.5, 2.0), (3.0, 1.0), (1.0, 4.0), (2.0, 2.0), (0.0, 0.0)])
def test_guidance_is_the_formula_of_three_separate_answers(canvas: float, text: float) -> None:
    given, network = _given(), Counting()
    v0, v1, v2 = _one(given, False, False), _one(given, True, False), _one(given, True, True)
    found = guided_velocity(network, NOISY, TIME, given, Guidance(canvas, text))
    assert torch.allclose(found, v0 + canvas * (v1 - v0) + text * (v2 - v1), atol=1e-3)
    assert len(network.seen) == 1


@pytest.mark.parametrize(
    ("canvas", "text", "has_text", "answers"),
    [(1.0, 1.0, True, 1), (1.0, 1.0, False, 1), (1.0, 5.0, False, 1), (1.5, 2.0, True, 3), (1.5, 2.0, False, 2),
     (1.0, 2.0, True, 2), (2.0, 2.0, True, 2)],
)  # fmt: skip
def test_only_answers_that_count_are_computed(canvas: float, text: float, has_text: bool, answers: int) -> None:
    network = Counting()
    guided_velocity(network, NOISY, TIME, _given(has_text), Guidance(canvas, text))
    assert network.seen == [2 * answers]


def test_without_guidance_the_answer_is_the_single_pass_to_the_bit() -> None:
    given = _given()
    found = guided_velocity(Counting(), NOISY, TIME, given, Guidance(1.0, 1.0))
    assert torch.equal(found, _one(given, True, True))


def test_weights_add_up_to_one() -> None:
    for has_text in (True, False):
        assert sum(Guidance(1.7, 3.2).weights(has_text).values()) == pytest.approx(1.0)


def test_a_negative_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        Guidance(-1.0, 1.0)
