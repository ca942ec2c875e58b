"""Side bias and covariates, with errors that know that a person's votes belong together."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.rating_bias import side_bias
from evaluation.rating_votes import NotRatable, Votes
from tests.evaluation.worlds import NINE, outcomes, world


def test_a_common_leaning_is_found() -> None:
    bias = side_bias(world(4, votes=6000, people=30, bias=0.4, bias_spread=0.0, tie=0.0, strengths=NINE[:5]))
    assert bias.left.low < 0.4 < bias.left.high
    assert bias.left.low > 0
    assert bias.left.shares[0] == pytest.approx(1 / (1 + np.exp(-bias.left.value)))
    assert not bias.is_rough


def test_personal_leanings_are_not_taken_for_a_common_one() -> None:
    found = [side_bias(world(seed, votes=6000, bias=0.0, bias_spread=0.5)) for seed in range(20)]
    assert np.median([bias.left.error / bias.left.naive_error for bias in found]) > 3
    naive = [abs(bias.left.value) > 1.96 * bias.left.naive_error for bias in found]
    clustered = [not bias.left.low < 0 < bias.left.high for bias in found]
    assert sum(naive) >= 10
    assert sum(clustered) <= 4
    assert all(bias.is_rough for bias in found)


def test_a_covariate_of_the_pictures_is_told_from_the_producers() -> None:
    rng = np.random.default_rng(5)
    votes = world(5, votes=8000, people=25, strengths=NINE[:4])
    larger = rng.normal(0, 1, len(votes))
    said = outcomes(NINE[votes.left] - NINE[votes.right] + 0.5 * larger, 0.0, rng)
    seen = Votes(votes.producers, votes.left, votes.right, said, votes.photo, votes.annotator)
    [effect] = side_bias(seen, {"area": larger}).covariates
    assert effect.name == "area"
    assert effect.low < 0.5 < effect.high
    assert effect.high - effect.low < 0.2


def test_votes_that_cannot_be_rated_have_no_bias() -> None:
    with pytest.raises(NotRatable):
        side_bias(world(1, votes=1))
