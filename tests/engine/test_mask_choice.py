import numpy as np

from engine.mask_choice import choose
from engine.stages.roles import Masks


def rectangle(x0, y0, x1, y1):
    mask = np.zeros((40, 40), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def choice(*pairs, **known):
    masks = Masks(np.stack([mask for mask, _ in pairs]), np.array([q for _, q in pairs], np.float32))
    chosen = choose(masks, **known)
    return next((k for k, (mask, _) in enumerate(pairs) if chosen is not None and (mask == chosen).all()), None)


WHOLE, PART = rectangle(5, 5, 30, 30), rectangle(5, 5, 12, 12)


def test_the_expected_quality_decides_where_nothing_else_is_known():
    assert choice((WHOLE, 0.7), (PART, 0.9)) == 1


def test_the_detectors_own_mask_outweighs_a_little_quality():
    assert choice((WHOLE, 0.7), (PART, 0.9), seen_hw=rectangle(5, 5, 30, 28)) == 0


def test_a_mask_that_runs_out_of_its_box_loses():
    assert choice((rectangle(0, 0, 40, 40), 0.9), (WHOLE, 0.8), box=(5, 5, 30, 30)) == 1


def test_a_mask_may_run_out_of_its_box_a_little():
    assert choice((rectangle(5, 5, 32, 30), 0.85), (WHOLE, 0.82), box=(5, 5, 30, 30)) == 0


def test_a_scattered_mask_loses_against_a_whole_one():
    dots = np.zeros((40, 40), bool)
    dots[6:30:4, 6:30:4] = True
    assert choice((dots, 0.82), (WHOLE, 0.8)) == 1


def test_an_empty_mask_is_never_chosen():
    empty = np.zeros((40, 40), bool)
    assert choice((empty, 0.99), (PART, 0.1)) == 1
    assert choice((empty, 0.99), (empty, 0.9)) is None
