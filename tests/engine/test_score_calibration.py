import numpy as np
import pytest

from engine.score_calibration import PRIORS, Curve, calibrate, fit


def test_a_curve_gives_back_the_precision_it_was_fitted_on():
    rng = np.random.default_rng(0)
    scores = rng.random(4000)
    right = rng.random(4000) < scores**2
    curve = fit(scores, right)
    for score in (0.2, 0.5, 0.9):
        assert curve(score) == pytest.approx(score**2, abs=0.06)


def test_a_curve_never_falls():
    curve = fit([0.1, 0.2, 0.3, 0.4], [False, True, False, True])
    values = [curve(score) for score in np.linspace(0, 1, 50)]
    assert values == sorted(values)


def test_an_overconfident_source_loses_against_a_modest_one_that_is_right():
    curves = {"loud": Curve((0.0, 1.0), (0.0, 0.3)), "modest": Curve((0.0, 0.4), (0.0, 0.9))}
    (loud,), (modest,) = calibrate([0.99], "loud", curves), calibrate([0.35], "modest", curves)
    assert modest > loud


def test_without_a_curve_rank_decides_and_not_the_raw_scale():
    small, large = (calibrate([s, 2 * s, 3 * s], "owlv2", {}) for s in (0.01, 0.3))
    assert small == large
    assert small[2] == PRIORS["owlv2"]
    assert small == pytest.approx([0.5 * PRIORS["owlv2"], 0.75 * PRIORS["owlv2"], PRIORS["owlv2"]])


def test_equal_scores_get_equal_chances_and_a_single_one_the_prior():
    first, second, _ = calibrate([0.5, 0.5, 0.1], "rf_detr", {})
    assert first == second == PRIORS["rf_detr"]
    assert calibrate([0.2], "rf_detr", {}) == [PRIORS["rf_detr"]]


def test_one_label_is_not_enough_for_a_curve():
    with pytest.raises(ValueError, match="two or more"):
        fit([0.5], [True])
