import numpy as np
import pytest

from evaluation.degrade import LADDERS, nine, producers
from tests.evaluation.pairs import composite_pairs, square_pair

BY_NAME = {ladder.name: ladder for ladder in LADDERS}


def distance(a, b):
    """Mean difference of what is seen on white, so that colour under alpha 0 is nothing."""
    on_white = [side[..., :3] * (side[..., 3:] / 255.0) + 255 - side[..., 3:].astype(float) for side in (a, b)]
    return np.abs(on_white[0] - on_white[1]).mean()


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.name)
def test_every_grade_is_further_from_the_truth(ladder):
    pairs = [pair for pair in composite_pairs(3) if pair.hidden_share > 0.05]
    steps = [
        np.mean([distance(producer.degrade(pair).predicted_hwc, pair.truth_hwc) for pair in pairs])
        for producer in producers(ladder)
    ]
    assert 0 < steps[0] < steps[1] < steps[2]


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.name)
def test_degrading_gives_the_same_bytes_and_leaves_the_truth_alone(ladder):
    pair, again = square_pair(), square_pair()
    degraded = [ladder.fault(p, ladder.grades[-1]) for p in (pair, again)]
    assert np.array_equal(*degraded)
    assert np.array_equal(pair.truth_hwc, square_pair().truth_hwc)
    assert degraded[0].dtype == np.uint8


@pytest.mark.parametrize("name", ["hole left", "wrong completion"])
def test_faults_of_the_hidden_part_leave_the_visible_part(name):
    pair = square_pair()
    worst = BY_NAME[name].fault(pair, 1)
    assert np.array_equal(worst[~pair.hidden_hw], pair.truth_hwc[~pair.hidden_hw])
    assert not np.array_equal(worst[pair.hidden_hw], pair.truth_hwc[pair.hidden_hw])


def test_a_whole_hole_is_the_visible_part_alone():
    pair = square_pair()
    alpha = BY_NAME["hole left"].fault(pair, 1)[..., 3]
    assert (alpha[pair.hidden_hw] == 0).all()


def test_the_nine_have_names_of_their_own_and_cover_all_faults():
    names = [producer.name for producer in nine()]
    assert len(set(names)) == 9
    assert {name.rsplit(" ", 1)[0] for name in names} == set(BY_NAME)
