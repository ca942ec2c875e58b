"""A metric of single pictures foretells votes on photos it has not seen, at most as well as people do."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.calibration_pairs import foretell, human_ceiling


def voted(seed: int = 0, pairs: int = 300, people: int = 4, slope: float = 6.0) -> dict[str, np.ndarray]:
    """Everybody votes on every pair; who wins follows the first of two metrics, the second is noise."""
    rng = np.random.default_rng(seed)
    differences = rng.normal(0, 0.3, (pairs, 2))
    pair = np.repeat(np.arange(pairs), people)
    chance = 1 / (1 + np.exp(-slope * differences[pair, 0]))
    outcome = np.where(rng.random(len(pair)) < chance, 1, -1)
    return {
        "differences": differences[pair],
        "outcome": outcome,
        "photo": pair // 3,
        "pair": pair,
        "annotator": np.tile(np.arange(people), pairs),
    }


def test_the_metric_that_decides_gets_the_weight() -> None:
    found = foretell(**voted())
    assert found.coefficients[0] == pytest.approx(6.0, rel=0.25)
    assert abs(found.coefficients[1]) < 0.1 * found.coefficients[0]
    assert found.accuracy.low > 0.6
    assert found.log_loss < 0.6
    for foretold, came_true, votes in found.reliability:
        assert abs(foretold - came_true) < 4 * np.sqrt(0.25 / votes)


def test_accuracy_is_measured_on_other_photos() -> None:
    """A metric that knows each photo by heart but says nothing of others foretells nothing."""
    votes = voted(1, pairs=60)
    rng = np.random.default_rng(1)
    votes["differences"] = rng.normal(size=(60, 40))[votes["pair"]]
    found = foretell(**votes)
    assert found.accuracy.low < 0.5 < found.accuracy.high + 0.1


def test_telling_every_pair_from_the_other_layer_changes_nothing() -> None:
    votes = voted(2)
    turned = {**votes, "differences": -votes["differences"], "outcome": -votes["outcome"]}
    assert foretell(**turned).coefficients == pytest.approx(foretell(**votes).coefficients, rel=1e-6)


def test_the_ceiling_is_what_people_agree_on() -> None:
    pair = np.repeat(np.arange(50), 3)
    annotator = np.tile(np.arange(3), 50)
    agree = np.where(pair % 2 == 0, 1, -1)
    assert human_ceiling(agree, pair, annotator).value == 1
    one_against = np.where(annotator == 2, -agree, agree)
    found = human_ceiling(one_against, pair, annotator)
    assert (found.value, found.n) == (0, 50), "the other two are split where one of the two agreeing is left out"


def test_a_repeat_of_the_same_person_is_no_second_opinion() -> None:
    assert human_ceiling(np.array([1, 1]), np.array([0, 0]), np.array([7, 7])) is None


def test_what_cannot_be_cross_validated_has_no_answer() -> None:
    votes = voted(3, pairs=9)
    assert foretell(**votes) is None, "three photos only"
    same = voted(4)
    same["outcome"][:] = 1
    assert foretell(**same) is None
