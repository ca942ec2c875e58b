import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.stages.scene.potts import contrast, shares


def plain(height=30, width=40):
    return contrast(np.full((height, width, 3), 120, np.uint8))


def noisy_halves(labels=2):
    """Costs that favour label 0 on the left and 1 on the right, with a fifth of the pixels turned around."""
    rng = np.random.default_rng(3)
    costs = np.zeros((labels, 30, 40), np.float32)
    costs[1, :, :20] = costs[0, :, 20:] = 1
    costs[2:] = 3
    wrong = rng.random((30, 40)) < 0.2
    costs[:2, wrong] = costs[1::-1, wrong]
    return costs


@pytest.mark.parametrize("labels", [2, 5])
def test_scattered_mistakes_give_way_to_their_neighbours(labels):
    found = shares(noisy_halves(labels), plain(), border=1.0, steps=80).argmax(axis=0)
    truth = np.repeat([[0] * 20 + [1] * 20], 30, axis=0)
    assert (found == truth).mean() > 0.98


def test_free_borders_leave_every_pixel_its_cheapest_label():
    costs = noisy_halves()
    found = shares(costs, plain(), border=0.0, steps=80).argmax(axis=0)
    assert np.array_equal(found, costs.argmin(axis=0))


def test_a_border_settles_on_the_edge_of_the_picture():
    picture = np.full((30, 40, 3), 60, np.uint8)
    picture[:, 23:] = 200
    costs = np.zeros((2, 30, 40), np.float32)
    costs[1, :, :15] = costs[0, :, 30:] = 2
    found = shares(costs, contrast(picture), border=2.0, steps=200).argmax(axis=0)
    assert (found[:, 22] == 0).all()
    assert (found[:, 23] == 1).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 5), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_shares_are_a_distribution(labels, height, width, seed):
    costs = np.random.default_rng(seed).normal(0, 4, (labels, height, width)).astype(np.float32)
    found = shares(costs, plain(height, width), border=1.0, steps=20)
    assert found.min() >= 0
    assert np.allclose(found.sum(axis=0), 1, atol=1e-4)
