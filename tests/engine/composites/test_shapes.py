import numpy as np
import pytest

from engine.composites import shapes


@pytest.mark.parametrize("family", shapes.FAMILIES)
def test_a_shape_fills_its_longest_side_and_ends_transparent(family):
    for seed in range(6):
        alpha = shapes.draw(family, 64, np.random.default_rng(seed))
        assert 68 <= max(alpha.shape) <= 68 + 2 * 6
        assert alpha.max() > 200
        assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) <= 8


@pytest.mark.parametrize("family", shapes.FAMILIES)
def test_two_draws_of_a_family_differ(family):
    rng = np.random.default_rng(1)
    first, second = shapes.draw(family, 48, rng), shapes.draw(family, 48, rng)
    assert first.shape != second.shape or not np.array_equal(first, second)


def test_a_ring_has_a_hole():
    alpha = shapes.draw("ring", 80, np.random.default_rng(5))
    assert alpha[alpha.shape[0] // 2, alpha.shape[1] // 2] == 0
