import numpy as np
import pytest

from engine.composites.generator import compose
from engine.composites.photographs import Photographs
from engine.stages.completion import by_box
from engine.stages.scene.box_evidence import AGAIN, FIRST
from engine.stages.scene.joint_cut import Params
from evaluation.fit_engine import HELD_OUT, Samples, as_code, fit_hidden, fit_scene, main

PARAMS = Params(rounds=2, working_px=96, steps=10)


@pytest.fixture(scope="module")
def composites():
    photographs = Photographs.from_packages(256)
    return [compose(seed, 128, photographs) for seed in range(10000, 10006)]


def test_the_weights_that_made_the_truth_are_found_again():
    rng = np.random.default_rng(0)
    one, two = rng.normal(0, 1, (2, 600, 600)).astype(np.float32)
    truth = rng.random((600, 600)) < 1 / (1 + np.exp(-(1.5 * one - 0.5 * two + 0.7)))
    samples = Samples()
    samples.add({"one": one, "two": two}, truth, np.ones((600, 600), bool))
    assert samples.weights() == pytest.approx({"one": 1.5, "two": -0.5, "bias": 0.7}, abs=0.12)


def test_the_scene_fit_weighs_what_the_engine_weighs_and_repeats_itself(composites):
    first, again = fit_scene(composites, PARAMS)
    assert (set(first), set(again)) == (set(FIRST), set(AGAIN))
    assert np.isfinite([*first.values(), *again.values()]).all()
    assert fit_scene(composites, PARAMS) == (first, again)


def test_the_hidden_fit_weighs_what_the_engine_weighs_and_repeats_itself(composites):
    hidden = fit_hidden(composites, PARAMS)
    assert set(hidden) == set(by_box.HIDDEN)
    assert np.isfinite([*hidden.values()]).all()
    assert fit_hidden(composites, PARAMS) == hidden


def test_constants_are_printed_as_they_stand_in_the_code():
    assert as_code("HIDDEN", {"radius": -1.7444, "bias": 0.2}) == "HIDDEN: Weights = {'radius': -1.74, 'bias': 0.2}"


def test_seeds_of_the_benchmarks_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--seeds", f"{HELD_OUT - 1}-{HELD_OUT + 5}"])
    assert str(HELD_OUT) in capsys.readouterr().err
