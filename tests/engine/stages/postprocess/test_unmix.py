import numpy as np
import pytest

from engine.stages.postprocess.materials import band_factor, is_clear
from engine.stages.postprocess.unmix import trust_in, unmix
from tests.engine.stages.drawn import disc

RNG = np.random.default_rng(0)
FRONT, BEHIND = RNG.integers(0, 256, (2, 40, 40, 3)).astype(np.float64)


def mixed(alpha):
    return np.rint(alpha[..., None] * FRONT + (1 - alpha[..., None]) * BEHIND).astype(np.uint8)


def test_the_colour_is_exact_where_what_lies_behind_is_known():
    alpha = np.full((40, 40), 0.8, np.float32)
    grey, trust = np.full((40, 40, 3), 128, np.uint8), np.ones((40, 40), np.float32)
    out = unmix(mixed(alpha), alpha, BEHIND.astype(np.uint8), grey, trust)
    assert np.abs(out - FRONT).max() <= 1


def test_an_almost_clear_pixel_takes_the_estimate():
    alpha = np.full((40, 40), 0.05, np.float32)
    estimate, trust = FRONT.astype(np.uint8), np.ones((40, 40), np.float32)
    assert (unmix(mixed(alpha), alpha, BEHIND.astype(np.uint8), estimate, trust) == estimate).all()


def test_an_invented_background_is_not_divided_out():
    alpha = np.full((40, 40), 0.6, np.float32)
    estimate = FRONT.astype(np.uint8)
    out = unmix(mixed(alpha), alpha, np.zeros((40, 40, 3), np.uint8), estimate, np.zeros((40, 40), np.float32))
    assert (out == estimate).all()


def test_trust_falls_with_distance_from_what_is_seen():
    trust = trust_in(~disc(40, 40, (20, 20), 15), reach_px=8.0)
    assert trust[20, 0] == 1.0
    assert 0 < trust[20, 8] < 1
    assert trust[20, 20] == 0.0
    assert trust_in(np.zeros((4, 4), bool)).max() == 0.0


@pytest.mark.parametrize(("label", "factor"), [("brown dogs", 2.0), ("delivery truck", 0.5), ("umbrella", 1.0)])
def test_the_band_goes_by_the_material(label, factor):
    assert band_factor(label) == factor


def test_one_looks_through_glass_and_not_through_a_cup():
    assert is_clear("wine glass")
    assert not is_clear("cup")
